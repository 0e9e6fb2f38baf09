import type { ObjectId } from '../format/ids.ts';
import type { RepositoryContext } from '../repository-context.ts';
import type { Session } from '../sessions/session-store.ts';
import { findWaits, recordWaits } from './waits.ts';

/**
 * Where other clients' lists are late, as on NFS, a session may be begun for a while by somebody who does not see yet what
 * was condemned. So the sessions are only listed after this time; it is cut short with the grace period.
 */
const SETTLE_MS = 2 * 60 * 1000;

export interface Readiness {
  /** Condemned packs, and meta packs, that may go as far as the mark lets them: all sessions from before have ended. */
  readonly packs: ReadonlySet<ObjectId>;
  readonly meta: ReadonlySet<ObjectId>;
  readonly waitsFor: readonly Session[];
  /** When more will be ready, if no session stands in the way; null: nothing is left. */
  readonly again: number | null;
}

/** What has been condemned for long enough. `exists` leaves out numbers whose packs are all gone. */
export async function findReady(
  context: RepositoryContext,
  graceMs: number,
  exists: (pack: ObjectId) => boolean,
): Promise<Readiness> {
  const now = context.clock.now();
  const packs = new Set<ObjectId>();
  const meta = new Set<ObjectId>();
  const waitsFor = new Map<string, Session>();
  let again = Infinity;
  for (const [number, condemned] of context.condemned.entries) {
    if (![...condemned.packs, ...condemned.meta].some(exists)) {
      continue;
    }
    const settledAt = condemned.condemnedAt + Math.min(graceMs, SETTLE_MS);
    if (now < settledAt) {
      again = Math.min(again, condemned.condemnedAt + graceMs);
      continue;
    }
    await recordWaits(context, number);
    const open = await findWaits(context, number);
    open?.forEach((session) => waitsFor.set(session.sessionId, session));
    const readyAt = condemned.condemnedAt + graceMs;
    if (open === null || open.length > 0 || now < readyAt) {
      again = Math.min(again, Math.max(now, readyAt));
      continue;
    }
    condemned.packs.forEach((pack) => packs.add(pack));
    condemned.meta.forEach((pack) => meta.add(pack));
  }
  return { packs, meta, waitsFor: [...waitsFor.values()], again: again === Infinity ? null : again };
}
