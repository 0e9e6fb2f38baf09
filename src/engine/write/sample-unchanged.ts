import { randomInt } from 'node:crypto';
import { SHORT_DIGEST_BYTES, keyedDigest } from '../keys/digest.ts';
import type { ManifestEntry } from '../manifest/segment-record.ts';
import type { ManifestReader } from '../manifest/manifest-reader.ts';
import type { ChangeMap } from './change-map.ts';
import { placeEntries, type PlacedEntry } from '../manifest/segment-table.ts';
import type { SegmentSource } from './segment-source.ts';

const MAX_HOLE_BLOCKS = 64;
/** Random blocks are drawn until the budget is used up; a disk that is dirty almost everywhere ends it earlier. */
const MAX_DRAWS = 4096;

export interface SampleOutcome {
  readonly bytes: number;
  readonly lied: boolean;
}

export interface SampleLimits {
  readonly digestKey: Uint8Array;
  readonly budgetBytes: number;
  /** The disk's size now: what the base has past it can't be read any more. */
  readonly sizeBytes: number;
}

/** Reads random chunks again that the change list says are unchanged, and compares them with the base. */
export async function sampleUnchanged(
  base: ManifestReader,
  dirty: ChangeMap,
  source: SegmentSource,
  { digestKey, budgetBytes, sizeBytes }: SampleLimits,
): Promise<SampleOutcome> {
  const { blockBytes } = base.geometry;
  const blocks = Math.ceil(Math.min(base.geometry.sizeBytes, sizeBytes) / blockBytes);
  let bytes = 0;
  for (let draw = 0; draw < MAX_DRAWS && bytes < budgetBytes; draw += 1) {
    const place = await findUnchanged(base, dirty, randomInt(blocks));
    if (place !== null && place.offset + place.bytes <= sizeBytes) {
      const data = new Uint8Array(place.bytes);
      await source.readRange(place.offset, data);
      bytes += data.length;
      if (!isAsBefore(place.entry, data, digestKey)) {
        return { bytes, lied: true };
      }
    }
  }
  return { bytes, lied: false };
}

interface Place {
  readonly entry: ManifestEntry;
  readonly offset: number;
  readonly bytes: number;
}

async function findUnchanged(base: ManifestReader, dirty: ChangeMap, block: number): Promise<Place | null> {
  const { segmentBytes, blockBytes } = base.geometry;
  const perSegment = segmentBytes / blockBytes;
  const segment = Math.floor(block / perSegment);
  const within = block % perSegment;
  const found = placeEntries(await base.segment(segment)).find((entry) => entry.end > within);
  if (found === undefined) {
    return null;
  }
  const { start, end } = found.isHole ? aroundBlock(found, within) : found;
  if (dirty.overlaps(segment, { start, end })) {
    return null;
  }
  const offset = segment * segmentBytes + start * blockBytes;
  const bytes = Math.min(end * blockBytes, base.geometry.bytesIn(segment)) - start * blockBytes;
  return { entry: found.entry, offset, bytes };
}

/** Holes may be long: only so much of one around the block that was drawn. */
function aroundBlock({ start, end }: PlacedEntry, block: number): { readonly start: number; readonly end: number } {
  const first = Math.max(start, block - MAX_HOLE_BLOCKS / 2);
  return { start: first, end: Math.min(end, first + MAX_HOLE_BLOCKS) };
}

function isAsBefore({ chunk }: ManifestEntry, data: Uint8Array, digestKey: Uint8Array): boolean {
  return chunk === null
    ? data.every((byte) => byte === 0)
    : Buffer.compare(keyedDigest(digestKey, data).subarray(0, SHORT_DIGEST_BYTES), chunk.digest) === 0;
}
