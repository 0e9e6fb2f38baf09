import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Global, Module } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { GraphQLJSONObject } from 'graphql-scalars';
import { TenantScope } from '../auth/tenant-scope.ts';
import { TokenAuthenticator } from '../auth/token-authenticator.ts';
import { liveSubscriptions } from '../feed/live-graphql.ts';
import { projectFile } from '../project-file.ts';
import { errorCodeEnum } from './error-code-enum.ts';
import { formatGraphqlError } from './format-error.ts';
import { NodeRegistry } from './node-registry.ts';
import { NodeResolver } from './node.resolver.ts';
import { queryLimits } from './query-limits.plugin.ts';
import { BigIntScalar, DateTimeScalar } from './scalars.ts';

/** Domains register their objects with `NodeRegistry`, in processes that answer requests and in those that don't. */
@Global()
@Module({ providers: [NodeRegistry], exports: [NodeRegistry] })
export class NodesModule {}

/** The public schema, from `graphql/*.graphql`, at /graphql. */
@Module({
  imports: [
    NodesModule,
    GraphQLModule.forRootAsync<ApolloDriverConfig>({
      driver: ApolloDriver,
      inject: [TenantScope, TokenAuthenticator],
      useFactory: (scope: TenantScope, authenticator: TokenAuthenticator) => ({
        ...graphqlOptions(scope),
        subscriptions: liveSubscriptions(scope, authenticator),
      }),
    }),
  ],
  providers: [NodeResolver],
})
export class PublicGraphqlModule {}

function graphqlOptions(scope: TenantScope): Omit<ApolloDriverConfig, 'driver'> {
  return {
    path: '/graphql',
    typePaths: [projectFile('graphql/*.graphql')],
    typeDefs: errorCodeEnum(),
    resolvers: { DateTime: DateTimeScalar, BigInt: BigIntScalar, JSONObject: GraphQLJSONObject },
    fieldResolverEnhancers: ['guards'],
    plugins: [queryLimits],
    maxRecursiveSelections: true,
    introspection: true,
    graphiql: false,
    csrfPrevention: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    autoTransformHttpErrors: false,
    formatError: (formatted, thrown) => formatGraphqlError(formatted, thrown, scope.requestId()),
  };
}
