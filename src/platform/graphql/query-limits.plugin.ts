import type { ApolloServerPlugin, GraphQLRequestListener } from '@apollo/server';
import { Kind, type FragmentDefinitionNode } from 'graphql';
import { judgeQuery, type QueryCost } from './query-limits.ts';

/** Refuses operations that ask for too much before they run, and says in `extensions.cost` what was asked for. */
export const queryLimits: ApolloServerPlugin = {
  requestDidStart: async () => {
    let cost: QueryCost | undefined;
    const listener: GraphQLRequestListener<object> = {
      didResolveOperation: async ({ operation, document, request }) => {
        const fragments = document.definitions.filter(
          (definition): definition is FragmentDefinitionNode => definition.kind === Kind.FRAGMENT_DEFINITION,
        );
        cost =
          operation &&
          judgeQuery(operation, {
            fragments: new Map(fragments.map((fragment) => [fragment.name.value, fragment])),
            variables: request.variables ?? {},
          });
      },
      willSendResponse: async ({ response }) => {
        if (cost !== undefined && response.body.kind === 'single') {
          const { singleResult } = response.body;
          singleResult.extensions = { ...singleResult.extensions, cost };
        }
      },
    };
    return listener;
  },
};
