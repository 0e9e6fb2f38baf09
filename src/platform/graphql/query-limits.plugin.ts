import type { ApolloServerPlugin, GraphQLRequestListener } from '@apollo/server';
import { judgeDocument } from './judge-document.ts';
import type { QueryCost } from './query-limits.ts';

/** Refuses operations that ask for too much before they run, and says in `extensions.cost` what was asked for. */
export const queryLimits: ApolloServerPlugin = {
  requestDidStart: async () => {
    let cost: QueryCost | undefined;
    const listener: GraphQLRequestListener<object> = {
      didResolveOperation: async ({ document, operationName, request }) => {
        cost = judgeDocument({ document, operationName, variables: request.variables ?? {} });
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
