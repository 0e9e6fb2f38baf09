import { throwIfAborted } from '../../kernel/abort.ts';
import { OBJECT_KIND } from '../format/header.ts';
import type { ObjectId } from '../format/ids.ts';
import { INDEX_PREFIX } from '../format/names.ts';
import { openObject } from '../format/sealed-object.ts';
import { decodeIndexSegment } from '../index/index-segment.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { isDamage } from './diagnose.ts';
import type { DamagedObject } from './verify-types.ts';

export interface IndexSurvey {
  /** Packs that some whole segment lists. */
  readonly packs: ReadonlySet<ObjectId>;
  readonly damaged: readonly DamagedObject[];
}

/** Opens every index segment, one at a time. A lost one shows in packs that none lists. */
export async function surveyIndex({ store, secrets }: RepositoryContext, signal: AbortSignal): Promise<IndexSurvey> {
  const packs = new Set<ObjectId>();
  const damaged: DamagedObject[] = [];
  for await (const { name } of store.list(INDEX_PREFIX)) {
    throwIfAborted(signal);
    try {
      const data = await store.get(name, signal);
      const expected = { id: name.slice(name.lastIndexOf('/') + 1), kinds: [OBJECT_KIND.indexSegment] };
      const { payload } = openObject(data, name, expected, secrets);
      decodeIndexSegment(payload, name).packs.forEach((pack) => packs.add(pack));
    } catch (error) {
      if (!isDamage(error)) {
        throw error;
      }
      if ((await store.head(name)) !== null) {
        damaged.push({ name, problem: 'changed', message: error.message, lostFrames: [] });
      }
    }
  }
  return { packs, damaged };
}
