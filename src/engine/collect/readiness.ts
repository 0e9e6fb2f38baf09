import { isAppError } from '../../kernel/errors.ts';
import type { ObjectId } from '../format/ids.ts';
import type { RepositoryContext } from '../repository-context.ts';
import type { Session } from '../sessions/session-store.ts';
import type { Condemned } from './condemned-log.ts';
import { findWaits, recordWaits } from './waits.ts';

/**
 * Where other clients' lists are late, as on NFS, a session may be begun for a while by somebody who does not see yet what
 * was condemned. So the sessions are only listed after this time; it is cut short with the grace period.
 */
const SETTLE_MS = 2 * 60 * 1000;
/** Clocks differ by less; a date that is further ahead was given by one that was wrong. */
const AHEAD_MS = 24 * 60 * 60 * 1000;

export interface Readiness {
  /** Condemned packs, and meta packs, that may go as far as the mark lets them: all sessions from before have ended. */
  readonly packs: ReadonlySet<ObjectId>;
  readonly meta: ReadonlySet<ObjectId>;
  /** Those that would never be ready: they are to be condemned again, under a number that can be acted on. */
  readonly stuck: ReadonlySet<ObjectId>;
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
  const packs = new Set<ObjectId>();
  const meta = new Set<ObjectId>();
  const stuck = new Set<ObjectId>();
  const waitsFor = new Map<string, Session>();
  let again = Infinity;
  for (const [number, condemned] of context.condemned.entries) {
    const all = [...condemned.packs, ...condemned.meta].filter(exists);
    if (all.length === 0) {
      continue;
    }
    const state = await judge(context, number, condemned, graceMs);
    state.waitsFor.forEach((session) => waitsFor.set(session.sessionId, session));
    // The last number that names a pack counts: that of packs which were condemned again.
    all.forEach((pack) => (state.readyAt === 'never' ? stuck.add(pack) : stuck.delete(pack)));
    if (state.readyAt === 'now') {
      condemned.packs.forEach((pack) => packs.add(pack));
      condemned.meta.forEach((pack) => meta.add(pack));
    } else {
      again = Math.min(again, state.readyAt === 'never' ? context.clock.now() + graceMs : state.readyAt);
    }
  }
  return { packs, meta, stuck, waitsFor: [...waitsFor.values()], again: again === Infinity ? null : again };
}

interface NumberState {
  readonly readyAt: number | 'now' | 'never';
  readonly waitsFor: readonly Session[];
}

const NEVER: NumberState = { readyAt: 'never', waitsFor: [] };

async function judge(
  context: RepositoryContext,
  number: number,
  { condemnedAt }: Condemned,
  graceMs: number,
): Promise<NumberState> {
  const now = context.clock.now();
  if (isAhead(condemnedAt, now)) {
    return NEVER;
  }
  const readyAt = condemnedAt + graceMs;
  if (now < condemnedAt + Math.min(graceMs, SETTLE_MS)) {
    return { readyAt, waitsFor: [] };
  }
  await recordWaits(context, number);
  const waits = await findWaits(context, number);
  // Read before it was damaged it binds nobody: writers that came since know nothing of it.
  if (waits === null || !(await isReadable(context, number))) {
    return NEVER;
  }
  const isReady = waits.areOver && now >= readyAt;
  return { readyAt: isReady ? 'now' : Math.max(now, readyAt), waitsFor: waits.open };
}

/** Whether a date was given by a clock that was wrong. */
export function isAhead(time: number, now: number): boolean {
  return time > now + AHEAD_MS;
}

async function isReadable({ condemned }: RepositoryContext, number: number): Promise<boolean> {
  try {
    await condemned.read(number);
    return true;
  } catch (error) {
    if (isAppError(error, 'VAULT_CORRUPT', 'VAULT_OBJECT_MISSING', 'VAULT_FORMAT_UNKNOWN')) {
      return false;
    }
    throw error;
  }
}
