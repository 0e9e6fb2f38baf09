import type { PointStore } from '../points/point-store.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { readEpoch } from '../sessions/epoch.ts';
import { MAX_SESSION_MS } from '../sessions/session-ages.ts';
import { isWriter, SessionStore, type Session } from '../sessions/session-store.ts';

/**
 * Removes sessions whose lease has run out, writers that could not commit any more, and those from before the vault's
 * last recovery. Writers are fenced before: the tombstone decides, whatever was judged wrongly. Of a session that can't be
 * read nobody knows which point to fence; no commit can read it either. Returns those that stay, and how many were removed.
 */
export async function reapSessions(
  context: RepositoryContext,
  points: PointStore,
): Promise<{ readonly alive: readonly Session[]; readonly removed: number }> {
  const { store, secrets, leases, repositoryId } = context;
  const sessions = new SessionStore(store, secrets);
  const epoch = await readEpoch(store, secrets);
  const alive: Session[] = [];
  const damaged: string[] = [];
  let removed = 0;
  for await (const session of sessions.list((sessionId) => damaged.push(sessionId))) {
    const { sessionId, startedAt } = session;
    const isTooOld = isWriter(session) && context.clock.now() - startedAt > MAX_SESSION_MS;
    const isOver = session.epoch < epoch || isTooOld || !(await leases.isAlive({ repositoryId, sessionId }));
    if (!isOver) {
      alive.push(session);
      continue;
    }
    if (isWriter(session)) {
      await points.fence(session.pointId);
    }
    removed += (await sessions.remove(sessionId)) ? 1 : 0;
  }
  for (const sessionId of damaged) {
    if (!(await leases.isAlive({ repositoryId, sessionId }))) {
      removed += (await sessions.remove(sessionId)) ? 1 : 0;
    }
  }
  return { alive, removed };
}
