import type { CondemnedLog } from '../collect/condemned-log.ts';
import type { ObjectId } from '../format/ids.ts';
import type { DamagedObject } from './verify-types.ts';

/**
 * Takes damaged packs out of deduplication, for good; durable when this returns. A pack whose content is whole, only not
 * what surrounds it, is condemned too: collection copies what is needed of it. Returns those that were not before.
 */
export async function condemnDamaged(
  condemned: CondemnedLog,
  damaged: readonly (readonly [ObjectId, DamagedObject])[],
): Promise<ObjectId[]> {
  const fresh = damaged.filter(([id]) => !condemned.has(id));
  const lost = fresh.filter(([, { lostFrames }]) => lostFrames === 'all' || lostFrames.length > 0);
  const whole = fresh.filter((entry) => !lost.includes(entry));
  for (const [reason, packs] of [
    ['damaged', lost],
    ['unused', whole],
  ] as const) {
    if (packs.length > 0) {
      await condemned.append(
        reason,
        packs.map(([id]) => id),
      );
    }
  }
  return fresh.map(([id]) => id);
}
