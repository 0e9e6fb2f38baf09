import { throwIfAborted } from '../../kernel/abort.ts';
import type { ObjectId } from '../format/ids.ts';
import { INDEX_PREFIX } from '../format/names.ts';
import { isSegmentName, openIndexSegment, packsInSegment } from '../index/index-segment.ts';
import type { StoredObject } from '../ports/store.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { requireDamage } from './diagnose.ts';
import type { DamagedObject } from './verify-types.ts';

export interface IndexSurvey {
  /** Packs that some whole segment lists. */
  readonly packs: ReadonlySet<ObjectId>;
  readonly damaged: readonly DamagedObject[];
}

/** How often segments are listed again because some were merged while they were read. */
const MAX_LISTS = 5;

/** Opens every index segment, one at a time. A lost one shows in packs that none lists. */
export async function surveyIndex(context: RepositoryContext, signal: AbortSignal): Promise<IndexSurvey> {
  const packs = new Set<ObjectId>();
  const damaged: DamagedObject[] = [];
  const read = new Set<string>();
  for (let lists = 0, wentAway = true; wentAway && lists < MAX_LISTS; lists += 1) {
    wentAway = false;
    for await (const object of context.store.list(INDEX_PREFIX)) {
      throwIfAborted(signal);
      if (!read.has(object.name) && isSegmentName(object.name)) {
        read.add(object.name);
        const found = await readSegment(context, object, signal);
        found.packs.forEach((pack) => packs.add(pack));
        damaged.push(...found.damaged);
        wentAway ||= found.wentAway;
      }
    }
  }
  return { packs, damaged };
}

async function readSegment(
  { store, secrets }: RepositoryContext,
  object: StoredObject,
  signal: AbortSignal,
): Promise<IndexSurvey & { readonly wentAway: boolean }> {
  try {
    const segment = await openIndexSegment(store, object, secrets, { wholeBytes: 0, signal });
    return { packs: await packsInSegment(segment, signal), damaged: [], wentAway: false };
  } catch (error) {
    requireDamage(error);
    const { name } = object;
    const wentAway = (await store.head(name)) === null;
    const damage: DamagedObject = { name, problem: 'changed', message: error.message, lostFrames: [] };
    return { packs: new Set(), damaged: wentAway ? [] : [damage], wentAway };
  }
}
