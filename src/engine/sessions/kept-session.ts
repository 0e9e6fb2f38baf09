import { isAppError } from '../../kernel/errors.ts';
import { pointName, sessionName } from '../format/names.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { isWriter, type Session } from './session-store.ts';

/**
 * Sessions end by being removed. One that the store keeps, because a bucket locks whatever is put, or somebody else locked
 * it, ends when its lease has run out and its point is decided; else it would stop collection until its lock ends. Null:
 * a session that does not open, which no commit can read either.
 */
export async function isKeptOnly(
  { store, leases, clock, repositoryId }: Pick<RepositoryContext, 'store' | 'leases' | 'clock' | 'repositoryId'>,
  sessionId: string,
  session: Session | null,
): Promise<boolean> {
  const { retention } = store;
  if (retention === undefined || (await leases.isAlive({ repositoryId, sessionId }))) {
    return false;
  }
  try {
    const until = (await retention.lockedUntil(sessionName(sessionId))) ?? 0;
    if (until <= clock.now()) {
      return false;
    }
  } catch (error) {
    if (isAppError(error, 'VAULT_OBJECT_MISSING')) {
      return true;
    }
    throw error;
  }
  return session === null || !isWriter(session) || (await store.head(pointName(session.pointId))) !== null;
}
