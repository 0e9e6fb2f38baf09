import { AppError, errnoOf } from '../../kernel/errors.ts';

interface PostgresError {
  readonly code: string;
  readonly constraint: string | undefined;
}

/** PostgreSQL's error below whatever wraps it, or null where it is none. */
export function postgresErrorOf(error: unknown): PostgresError | null {
  const inner = error instanceof Error && 'driverError' in error ? error.driverError : error;
  const code = errnoOf(inner);
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code)) {
    return null;
  }
  const constraint = inner instanceof Error && 'constraint' in inner ? inner.constraint : undefined;
  return { code, constraint: typeof constraint === 'string' ? constraint : undefined };
}

const TRY_AGAIN: ReadonlySet<string> = new Set(['40001', '40P01']);
const SERVER_AWAY = /^(08|57P0[1-5]|53300)/;
const NETWORK_AWAY: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EPIPE',
  'ENOENT',
]);

/** What pg and TypeORM say of a connection that went away between two statements. */
const LOST_CONNECTION =
  /Connection terminated|timeout exceeded when trying to connect|query runner (was )?already released/i;

/** A serialisation failure or a deadlock: the whole transaction may simply run again. */
export function mayRunAgain(error: unknown): boolean {
  return TRY_AGAIN.has(postgresErrorOf(error)?.code ?? '');
}

export function isLockTimeout(error: unknown): boolean {
  return postgresErrorOf(error)?.code === '55P03';
}

/** Says DATABASE_UNAVAILABLE where the server or the way to it is at fault; everything else stays what it is. */
export function toDatabaseError(error: unknown): unknown {
  const state = postgresErrorOf(error)?.code;
  const away =
    state === undefined
      ? NETWORK_AWAY.has(errnoOf(error) ?? '') || (error instanceof Error && LOST_CONNECTION.test(error.message))
      : SERVER_AWAY.test(state);
  return away ? new AppError('DATABASE_UNAVAILABLE', 'PostgreSQL does not answer.', { cause: error }) : error;
}

/**
 * Turns the violation of a named constraint into the domain's own error:
 * `em.insert(...).catch(onConstraint({ site_name: () => nameTaken(name) }))`.
 */
export function onConstraint(errors: Readonly<Record<string, () => AppError>>): (error: unknown) => never {
  return (error) => {
    throw errors[postgresErrorOf(error)?.constraint ?? '']?.() ?? error;
  };
}
