import type { ManifestReader } from '../manifest/manifest-reader.ts';
import type { ChunkRef } from '../manifest/segment-record.ts';
import { placeEntries } from '../manifest/segment-table.ts';
import type { ChunkReader } from '../restore/chunk-reader.ts';
import type { BlockSource } from '../ports/block-io.ts';

const CONCURRENCY = 8;
/** A chunk may be asked for in several pieces, one soon after the other. */
const KEPT_CHUNKS = 24;

/** A disk of a restore point, to be written to another repository. */
export class PointDiskSource implements BlockSource {
  readonly concurrency = CONCURRENCY;
  readonly #manifest: ManifestReader;
  readonly #chunks: ChunkReader;
  readonly #kept = new Map<string, Promise<Uint8Array>>();

  constructor(manifest: ManifestReader, chunks: ChunkReader) {
    this.#manifest = manifest;
    this.#chunks = chunks;
  }

  async read(offset: number, into: Uint8Array, signal: AbortSignal): Promise<void> {
    const { segmentBytes } = this.#manifest.geometry;
    for (let at = offset; at < offset + into.length;) {
      const segment = Math.floor(at / segmentBytes);
      const end = Math.min(offset + into.length, (segment + 1) * segmentBytes);
      await this.#readSegment(segment, at - segment * segmentBytes, into.subarray(at - offset, end - offset), signal);
      at = end;
    }
  }

  async #readSegment(segment: number, from: number, into: Uint8Array, signal: AbortSignal): Promise<void> {
    const { blockBytes } = this.#manifest.geometry;
    const to = from + into.length;
    for (const { start, end, entry } of placeEntries(await this.#manifest.segment(segment))) {
      const first = Math.max(from, start * blockBytes);
      const last = Math.min(to, end * blockBytes);
      if (first < last && entry.chunk === null) {
        into.fill(0, first - from, last - from);
      } else if (first < last && entry.chunk !== null) {
        const raw = await this.#chunk(entry.chunk, signal);
        into.set(raw.subarray(first - start * blockBytes, last - start * blockBytes), first - from);
      }
    }
  }

  #chunk(chunk: ChunkRef, signal: AbortSignal): Promise<Uint8Array> {
    const key = Buffer.from(chunk.digest).toString('hex');
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      return kept;
    }
    const reading = this.#chunks.read(chunk, signal);
    this.#kept.set(key, reading);
    reading.catch(() => this.#kept.delete(key));
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_CHUNKS && oldest !== undefined) {
      this.#kept.delete(oldest);
    }
    return reading;
  }
}
