import type { CutRun } from '../chunking/rechunk.ts';
import { SHORT_DIGEST_BYTES } from '../keys/digest.ts';
import type { PlacedChunk } from './chunk-writer.ts';
import { CHUNK_INTS, HOLE, type StoredRun } from './protocol.ts';

/** Takes a place for each chunk that is no hole. What they don't cover would be another part of the disk's. */
export function toStoredRun(run: CutRun, next: Iterator<PlacedChunk>): StoredRun {
  const blocks = run.chunks.reduce((sum, { start, end }) => sum + end - start, 0);
  if (blocks !== run.end - run.start) {
    throw new RangeError(`chunks of ${blocks} blocks for ${run.start} to ${run.end} of a segment`);
  }
  const chunks = new Int32Array(run.chunks.length * CHUNK_INTS);
  const digests = new Uint8Array(run.chunks.length * SHORT_DIGEST_BYTES);
  for (const [i, { start, end, isHole }] of run.chunks.entries()) {
    const place: PlacedChunk | null = isHole ? null : next.next().value;
    digests.set(place?.digest ?? [], i * SHORT_DIGEST_BYTES);
    chunks.set([end - start, place?.pack ?? HOLE, place?.frame ?? 0], i * CHUNK_INTS);
  }
  return { start: run.start, end: run.end, chunks, digests };
}
