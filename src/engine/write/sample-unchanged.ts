import { randomInt } from 'node:crypto';
import { settleAll } from '../../kernel/settle-all.ts';
import { SHORT_DIGEST_BYTES, keyedDigest } from '../keys/digest.ts';
import type { ManifestEntry } from '../manifest/segment-record.ts';
import type { ManifestReader } from '../manifest/manifest-reader.ts';
import type { ChangeMap } from './change-map.ts';
import { entryAt, type PlacedEntry } from '../manifest/segment-table.ts';
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
  limits: SampleLimits,
): Promise<SampleOutcome> {
  const sampling = new Sampling(base, dirty, source, limits);
  // As many as the source answers at once: what is drawn is far apart, so that each read costs its whole latency.
  await settleAll(Array.from({ length: source.concurrency }, () => sampling.readOn()));
  return sampling;
}

/** What several readers share. Bytes count from when their read begins, so that together they keep to the budget. */
class Sampling implements SampleOutcome {
  bytes = 0;
  lied = false;
  readonly #base: ManifestReader;
  readonly #dirty: ChangeMap;
  readonly #source: SegmentSource;
  readonly #limits: SampleLimits;
  #drawsLeft = MAX_DRAWS;

  constructor(base: ManifestReader, dirty: ChangeMap, source: SegmentSource, limits: SampleLimits) {
    this.#base = base;
    this.#dirty = dirty;
    this.#source = source;
    this.#limits = limits;
  }

  async readOn(): Promise<void> {
    const { blockBytes, sizeBytes: baseBytes } = this.#base.geometry;
    const { budgetBytes, sizeBytes } = this.#limits;
    const blocks = Math.ceil(Math.min(baseBytes, sizeBytes) / blockBytes);
    let memory = new Uint8Array(0);
    while (!this.lied && this.#drawsLeft > 0 && this.bytes < budgetBytes) {
      this.#drawsLeft -= 1;
      const place = await this.#orStop(findUnchanged(this.#base, this.#dirty, randomInt(blocks)));
      if (place !== null && place.offset + place.bytes <= sizeBytes) {
        this.bytes += place.bytes;
        memory = memory.length < place.bytes ? new Uint8Array(2 ** Math.ceil(Math.log2(place.bytes))) : memory;
        await this.#orStop(this.#compare(place, memory.subarray(0, place.bytes)));
      }
    }
  }

  async #compare(place: Place, data: Uint8Array): Promise<void> {
    await this.#source.readRange(place.offset, data);
    this.lied ||= !isAsBefore(place.entry, data, this.#limits.digestKey);
  }

  /** What fails for one reader ends them all. */
  async #orStop<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.#drawsLeft = 0;
      throw error;
    }
  }
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
  const found = entryAt(await base.segment(segment), within);
  if (found === null) {
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
    ? isZero(data)
    : Buffer.compare(keyedDigest(digestKey, data).subarray(0, SHORT_DIGEST_BYTES), chunk.digest) === 0;
}

/** Whether each byte is as the one before it, and the first is zero. */
function isZero(data: Uint8Array): boolean {
  return data[0] === 0 && Buffer.compare(data.subarray(1), data.subarray(0, -1)) === 0;
}
