import { Logger } from '@nestjs/common';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { AppError } from '../../kernel/errors.ts';
import { toWireError } from '../wire/wire-error.ts';

const log = new Logger('GraphQL');

/** Errors as GraphQL clients see them: `extensions` is what REST puts into problem+json. */
export function formatGraphqlError(
  formatted: GraphQLFormattedError,
  thrown: unknown,
  requestId: string | null,
): GraphQLFormattedError {
  const error = causeOf(thrown);
  log.error({ requestId, err: error });
  const { message, status: _status, ...extensions } = toWireError(error, requestId);
  return {
    message,
    ...(formatted.locations === undefined ? {} : { locations: formatted.locations }),
    ...(formatted.path === undefined ? {} : { path: formatted.path }),
    extensions,
  };
}

/** What a resolver threw; or, where the document itself is wrong, BAD_INPUT with GraphQL's own words. */
function causeOf(thrown: unknown): unknown {
  if (!(thrown instanceof GraphQLError)) {
    return thrown;
  }
  const { originalError, path } = thrown;
  const inDocument = path === undefined && (originalError === undefined || originalError instanceof GraphQLError);
  return inDocument ? new AppError('BAD_INPUT', thrown.message) : (originalError ?? thrown);
}
