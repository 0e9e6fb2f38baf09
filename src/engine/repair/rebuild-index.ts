import { randomUUID } from 'node:crypto';
import { throwIfAborted } from '../../kernel/abort.ts';
import { limit } from '../../kernel/limit.ts';
import { listPacks } from '../collect/list-packs.ts';
import type { ObjectId } from '../format/ids.ts';
import { readPackTable } from '../format/pack-reader.ts';
import type { IndexedPack } from '../index/index-entries.ts';
import { SHORT_DIGEST_BYTES } from '../keys/digest.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { diagnosePack, isDamage } from '../verify/diagnose.ts';
import { requireLayout } from '../verify/pack-layout.ts';
import { surveyIndex } from '../verify/survey-index.ts';
import type { DamagedObject } from '../verify/verify-types.ts';
import type { RepairRequest } from './repair-types.ts';

const TABLE_CONCURRENCY = 16;
/** Of entries that are sorted in memory at once. */
const BATCH_ENTRIES = 256 * 1024;

export interface RebuiltIndex {
  readonly packs: number;
  readonly removed: readonly string[];
  readonly unreadable: readonly DamagedObject[];
}

/**
 * The index again, from the tables of the packs that are there. A segment that is damaged goes when its successors are
 * there: whoever is interrupted begins anew, and as long as it is there it says that all packs are to be indexed. Whole
 * ones stay, and merging drops what is there twice.
 */
export async function rebuildIndex(context: RepositoryContext, request: RepairRequest): Promise<RebuiltIndex> {
  const signal = request.signal ?? new AbortController().signal;
  const survey = await surveyIndex(context, signal);
  const damaged = survey.damaged.map(({ name }) => name);
  const present = await listPacks(context.store, 'data', signal);
  // What a damaged segment listed is not known: it may be some chunks of any pack.
  const everything = request.index === 'all' || damaged.length > 0;
  const packs = [...present.keys()].filter((id) => everything || !survey.packs.has(id));
  const unreadable = await indexPacks(context, packs, request, signal);
  await context.store.flush();
  // Where none could be read it is the store, and what was damaged still says more than nothing.
  const removed = packs.length > 0 && unreadable.length === packs.length ? [] : damaged;
  for (const name of removed) {
    await context.store.delete(name);
  }
  await context.index.refresh(signal);
  return { packs: packs.length - unreadable.length, removed, unreadable };
}

async function indexPacks(
  context: RepositoryContext,
  packs: readonly ObjectId[],
  request: RepairRequest,
  signal: AbortSignal,
): Promise<DamagedObject[]> {
  const unreadable: DamagedObject[] = [];
  // The damaged segments that are there yet may have the names that this content had before.
  const apart = randomUUID();
  const turn = limit(TABLE_CONCURRENCY);
  let batch: IndexedPack[] = [];
  let entries = 0;
  let done = 0;
  const publish = async (): Promise<void> => {
    const full = batch;
    batch = [];
    entries = 0;
    if (full.length > 0) {
      await context.index.publish(full, signal, apart);
    }
  };
  const read = async (id: ObjectId): Promise<void> => {
    throwIfAborted(signal);
    const found = await readEntries(context, id, signal);
    done += 1;
    request.onProgress?.({ phase: 'index', done, total: packs.length });
    if ('problem' in found) {
      unreadable.push(found);
      return;
    }
    batch.push(found);
    entries += found.digests.length / SHORT_DIGEST_BYTES;
  };
  for (let at = 0; at < packs.length; at += TABLE_CONCURRENCY) {
    await Promise.all(packs.slice(at, at + TABLE_CONCURRENCY).map((id) => turn(() => read(id))));
    if (entries >= BATCH_ENTRIES) {
      await publish();
    }
  }
  await publish();
  return unreadable;
}

async function readEntries(
  { store, secrets }: RepositoryContext,
  id: ObjectId,
  signal: AbortSignal,
): Promise<IndexedPack | DamagedObject> {
  try {
    const table = await readPackTable(store, 'data', id, secrets, signal);
    requireLayout(table);
    return { id, digests: table.shortDigests() };
  } catch (error) {
    if (!isDamage(error)) {
      throw error;
    }
    return { ...(await diagnosePack(store, secrets, { area: 'data', id }, error)), lostFrames: 'all' };
  }
}
