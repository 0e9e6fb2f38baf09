import { randomUUID } from 'node:crypto';
import type { PointStore } from '../points/point-store.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { renewHeldLocks } from '../retention/hold-locks.ts';
import { readEpoch } from '../sessions/epoch.ts';
import { SessionStore } from '../sessions/session-store.ts';
import { withLease } from '../sessions/with-lease.ts';
import type { CollectRequest, CollectResult } from './collect-types.ts';
import { CollectionPass } from './collection-pass.ts';

/** Also what a put takes at most, by far: what it laid aside before is nobody's. */
const DAY_MS = 24 * 60 * 60 * 1000;
/** What a pass condemns the next one deletes, where there is no grace period; and looks for what that left alone. */
const MAX_PASSES = 4;

/**
 * Brings the space of deleted points and of dead writers back. Each step is made from what is in the store, so that it may
 * be interrupted anywhere, and done by several at once. Waits for nobody: what is not ready is left to the next call.
 */
export async function collect(
  context: RepositoryContext,
  points: PointStore,
  request: CollectRequest,
): Promise<CollectResult> {
  const { store, secrets, clock, leases, repositoryId } = context;
  const controller = new AbortController();
  const own = controller.signal;
  const signal = request.signal === undefined ? own : AbortSignal.any([request.signal, own]);
  const sessions = new SessionStore(store, secrets);
  const sessionId = randomUUID();
  const announced = { sessionId, pointId: randomUUID(), purpose: 'collect' as const, pins: [] };
  await leases.beat({ repositoryId, sessionId });
  await sessions.put(announced, clock.now(), await readEpoch(store, secrets));
  await store.flush();
  try {
    return await withLease(
      context,
      sessionId,
      (error) => controller.abort(error),
      async () => {
        const session = await sessions.get(sessionId);
        const how = { ...request, graceMs: request.graceMs ?? DAY_MS, minLiveShare: request.minLiveShare ?? 0.5 };
        await renewHeldLocks(context, points);
        const pass = new CollectionPass(context, points, session, { ...how, signal });
        for (let passes = 1; (await pass.run()) && passes < MAX_PASSES; passes += 1);
        await store.removeLeftovers?.(clock.now(), DAY_MS);
        return pass.result();
      },
    );
  } catch (error) {
    throw own.aborted ? own.reason : error;
  } finally {
    await sessions.remove(sessionId);
    await leases.release({ repositoryId, sessionId });
  }
}
