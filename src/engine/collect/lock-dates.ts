import { isAppError } from '../../kernel/errors.ts';
import { limit } from '../../kernel/limit.ts';
import type { ObjectId } from '../format/ids.ts';
import { packName } from '../format/names.ts';
import type { RepositoryContext } from '../repository-context.ts';

const ASKED_AT_ONCE = 16;

/** Until when the store keeps each of these data packs, milliseconds since the epoch; 0 where it may go at any time. */
export async function findLockDates(
  { store, clock }: RepositoryContext,
  packs: Iterable<ObjectId>,
): Promise<ReadonlyMap<ObjectId, number>> {
  const { retention } = store;
  const dates = new Map(Array.from(packs, (pack) => [pack, 0]));
  if (retention === undefined) {
    return dates;
  }
  const now = clock.now();
  const turn = limit(ASKED_AT_ONCE);
  const ask = async (pack: ObjectId): Promise<void> => {
    try {
      const until = (await retention.lockedUntil(packName('data', pack))) ?? 0;
      dates.set(pack, until > now ? until : 0);
    } catch (error) {
      if (!isAppError(error, 'VAULT_OBJECT_MISSING')) {
        throw error;
      }
    }
  };
  await Promise.all(Array.from(dates.keys(), (pack) => turn(() => ask(pack))));
  return dates;
}

/**
 * Those that can go by then. To condemn others would cost copies of what is needed in them, and what they hold would be
 * stored again, for space that does not come back.
 */
export async function leaveLocked(
  context: RepositoryContext,
  packs: readonly ObjectId[],
  until: number,
): Promise<ObjectId[]> {
  const dates = await findLockDates(context, packs);
  return packs.filter((pack) => (dates.get(pack) ?? 0) <= until);
}
