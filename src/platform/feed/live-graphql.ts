import { randomUUID } from 'node:crypto';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { GqlExecutionContext } from '@nestjs/graphql';
import { type ExecutionArgs, type ExecutionResult, GraphQLError, subscribe } from 'graphql';
import type { Context, ServerOptions } from 'graphql-ws';
import type { Extra } from 'graphql-ws/use/ws';
import { AppError } from '../../kernel/errors.ts';
import { plainAddress } from '../auth/address-list.ts';
import type { TenantScope } from '../auth/tenant-scope.ts';
import type { TokenAuthenticator } from '../auth/token-authenticator.ts';
import { formatGraphqlError } from '../graphql/format-error.ts';
import { judgeDocument } from '../graphql/judge-document.ts';
import type { Listener } from './live.ts';

interface LiveContext {
  readonly listener: Listener;
}

/** The listener behind a subscription. */
export const ListenerOf = createParamDecorator(
  (_: unknown, context: ExecutionContext): Listener =>
    GqlExecutionContext.create(context).getContext<LiveContext>().listener,
);

/**
 * Subscriptions by graphql-ws: the token comes as `authorization` in the connection's parameters. Everything of an
 * operation runs in the scope of its listener; queries and mutations are asked over HTTP.
 */
export function liveSubscriptions(
  scope: TenantScope,
  authenticator: TokenAuthenticator,
): { 'graphql-ws': Omit<ServerOptions, 'schema'> } {
  return {
    'graphql-ws': {
      onConnect: async (socket: Context) => {
        const { token, address } = listenerOf(socket);
        return (await authenticator.authenticate(token, address)) !== null;
      },
      context: (socket: Context): LiveContext => ({ listener: listenerOf(socket) }),
      execute: () => {
        throw new AppError('BAD_INPUT', 'Only subscriptions are taken here; queries and mutations go over HTTP.');
      },
      subscribe: async (args: ExecutionArgs) => {
        const { token, address, requestId } = (args.contextValue as LiveContext).listener;
        const actor = await authenticator.authenticate(token, address);
        if (actor === null) {
          return { errors: [wireError(unauthenticated(), requestId)] };
        }
        const refusal = refusalOf(args);
        if (refusal !== null) {
          return { errors: [wireError(refusal, requestId)] };
        }
        const within = async <T>(work: () => Promise<T>): Promise<T> => await scope.run(actor, requestId, work);
        const answer = await within(async () => await subscribe(args));
        return isStream(answer) ? scoped(answer, within, requestId) : withWireErrors(answer, requestId);
      },
      onError: (_socket, _id, _payload, errors) => errors.map((error) => wireError(error, null).toJSON()),
    },
  };
}

/** The same limits as over HTTP: what a subscription selects is asked for again with every message. */
function refusalOf({ document, operationName, variableValues }: ExecutionArgs): unknown {
  try {
    judgeDocument({ document, operationName, variables: variableValues ?? {} });
    return null;
  } catch (error) {
    return error;
  }
}

function listenerOf({ connectionParams, extra }: Context): Listener {
  const given = connectionParams?.['authorization'] ?? connectionParams?.['Authorization'];
  // The server is the one for `ws`, and this is what it adds.
  const { request } = extra as Extra;
  const token = typeof given === 'string' ? given.replace(/^Bearer /i, '') : '';
  return { token, address: plainAddress(request.socket.remoteAddress), requestId: randomUUID() };
}

type Within = <T>(work: () => Promise<T>) => Promise<T>;

async function* scoped(
  stream: AsyncIterable<ExecutionResult>,
  within: Within,
  requestId: string,
): AsyncGenerator<ExecutionResult> {
  const iterator = stream[Symbol.asyncIterator]();
  try {
    let next = await within(async () => await iterator.next());
    while (next.done !== true) {
      yield withWireErrors(next.value, requestId);
      next = await within(async () => await iterator.next());
    }
  } finally {
    await iterator.return?.();
  }
}

function isStream(answer: AsyncIterable<ExecutionResult> | ExecutionResult): answer is AsyncIterable<ExecutionResult> {
  return Symbol.asyncIterator in answer;
}

function withWireErrors(result: ExecutionResult, requestId: string): ExecutionResult {
  return result.errors === undefined
    ? result
    : { ...result, errors: result.errors.map((error) => wireError(error, requestId)) };
}

function wireError(error: unknown, requestId: string | null): GraphQLError {
  const original = error instanceof GraphQLError ? error : new GraphQLError(String(error));
  const thrown = error instanceof AppError ? error : original;
  const { message, path, extensions } = formatGraphqlError(original.toJSON(), thrown, requestId);
  return new GraphQLError(message, { ...(path === undefined ? {} : { path }), extensions: extensions ?? {} });
}

function unauthenticated(): AppError {
  return new AppError('UNAUTHENTICATED', 'The credential of this connection is not valid any more.');
}
