import { throwIfAborted } from '../../kernel/abort.ts';
import { limit } from '../../kernel/limit.ts';
import type { ObjectId } from '../format/ids.ts';
import { FrameOpener, readPackTable } from '../format/pack-reader.ts';
import { decodePackIds, decodeRecords, type ChunkRef, type SegmentRecord } from '../manifest/segment-record.ts';
import type { RepositoryContext } from '../repository-context.ts';
import type { ChunkReader } from '../restore/chunk-reader.ts';
import { isDamage } from './diagnose.ts';
import { frames } from './pack-layout.ts';

/** Meta packs that are decoded at the same time, on the main thread. */
const CONCURRENCY = 4;

/**
 * Where chunks are found that manifests name in packs which no longer count (condemned, gone, or damaged): the packs to
 * verify in their place. A chunk that is nowhere else leaves its own pack, which then shows as the damage that it is.
 */
export async function surveyMoved(
  context: RepositoryContext,
  chunks: ChunkReader,
  metaPacks: Iterable<ObjectId>,
  { isMoved, signal }: { readonly isMoved: (pack: ObjectId) => boolean; readonly signal: AbortSignal },
): Promise<ReadonlySet<ObjectId>> {
  const packs = new Set<ObjectId>();
  const turn = limit(CONCURRENCY);
  const survey = async (id: ObjectId): Promise<void> => {
    for await (const records of movedRecords(context, id, isMoved)) {
      for (const chunk of chunksOf(records, isMoved)) {
        throwIfAborted(signal);
        packs.add(await packOf(chunks, chunk));
      }
    }
  };
  await Promise.all(Array.from(metaPacks, (id) => turn(() => survey(id))));
  return packs;
}

/** The readable frames of a meta pack that name such packs; what is damaged there was told by the survey before. */
async function* movedRecords(
  { store, secrets }: RepositoryContext,
  id: ObjectId,
  isMoved: (pack: ObjectId) => boolean,
): AsyncIterable<readonly SegmentRecord[]> {
  const table = await orNull(readPackTable(store, 'meta', id, secrets));
  if (table === null) {
    return;
  }
  const { name } = table.opener;
  const opener = new FrameOpener(table.opener, secrets.digestKey);
  for (const frame of frames(table)) {
    const isDirectory = frame.ordinal === table.frameCount - 1;
    const sealed = new Uint8Array(isDirectory ? 0 : frame.sealedBytes);
    const raw = isDirectory
      ? null
      : await orNull(store.getRange(name, frame.offset, sealed).then(() => Buffer.from(opener.open(frame, sealed))));
    if (raw !== null && decodePackIds(raw, name).some(isMoved)) {
      yield decodeRecords(raw, name);
    }
  }
}

function* chunksOf(records: readonly SegmentRecord[], isMoved: (pack: ObjectId) => boolean): Iterable<ChunkRef> {
  for (const { chunk } of records.flatMap(({ runs }) => runs.flatMap((run) => run.entries))) {
    if (chunk !== null && isMoved(chunk.pack)) {
      yield chunk;
    }
  }
}

async function packOf(chunks: ChunkReader, chunk: ChunkRef): Promise<ObjectId> {
  const found = await orNull(chunks.find(chunk));
  return found === null ? chunk.pack : found.table.opener.context.objectId;
}

async function orNull<T>(looking: Promise<T>): Promise<T | null> {
  try {
    return await looking;
  } catch (error) {
    if (isDamage(error)) {
      return null;
    }
    throw error;
  }
}
