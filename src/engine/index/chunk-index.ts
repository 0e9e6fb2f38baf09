import { isAppError } from '../../kernel/errors.ts';
import type { ObjectId } from '../format/ids.ts';
import type { PackTable } from '../format/pack-reader.ts';
import { indexName } from '../format/names.ts';
import { keyedDigest, SHORT_DIGEST_BYTES } from '../keys/digest.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store } from '../ports/store.ts';
import type { ChunkLocator } from '../restore/chunk-reader.ts';
import type { CondemnedPacks, PackTables } from '../restore/pack-tables.ts';
import { requireDamage } from '../verify/diagnose.ts';
import type { FilterRef } from './chunk-filter.ts';
import { DigestCache, type ChunkPlace } from './digest-cache.ts';
import { ENTRY_BYTES, sortEntries, type IndexedPack } from './index-entries.ts';
import { IndexSegmentBuilder } from './index-segment-builder.ts';
import { SegmentMerger } from './segment-merger.ts';
import { SegmentSet } from './segment-set.ts';

export interface IndexLimits {
  /** Of a segment; a merge has one in memory. */
  readonly segmentEntries: number;
  /** Segments that are not larger are kept in memory. */
  readonly wholeBytes: number;
  /** Chunks of packs whose tables were read; twice as many are remembered at most. */
  readonly cachedChunks: number;
  /** New chunks of a write that are remembered before the index has them. */
  readonly ownChunks: number;
}

const DEFAULT_LIMITS: IndexLimits = {
  segmentEntries: 1024 * 1024,
  wholeBytes: 1024 * 1024,
  cachedChunks: 128 * 1024,
  ownChunks: 256 * 1024,
};

/** The filters of all segments, as threads are given them. */
export interface IndexFilters {
  readonly version: number;
  readonly refs: readonly FilterRef[];
}

export interface IndexSources {
  readonly store: Store;
  readonly secrets: RepositorySecrets;
  readonly condemned: CondemnedPacks;
  readonly tables: PackTables;
}

/** Of the digests that are asked for: how many in the first round, and how many times more in each round after that. */
const FIRST_ROUND = 4;
const NEXT_ROUND = 4;
/** Of one digest: others may merge what was listed, again and again. */
const MAX_SEARCHES = 6;

/**
 * Which packs hold a chunk, from immutable sorted segments that writers publish and merge. Of segments only filters and
 * the first keys of blocks are in memory. A place is given out only after the table of its pack was read here, which
 * proves that the pack is there, and never one in a condemned pack.
 */
export class ChunkIndex implements ChunkLocator {
  readonly limits: IndexLimits;
  readonly #sources: IndexSources;
  readonly #segments: SegmentSet;
  readonly #merger: SegmentMerger;
  readonly #cache: DigestCache;
  /** Named by index segments, and not in the store or damaged: what they held is stored again. */
  readonly #missing = new Set<ObjectId>();
  #condemnedState = '';

  constructor(sources: IndexSources, limits: Partial<IndexLimits> = {}) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    this.#sources = sources;
    this.#segments = new SegmentSet(sources.store, sources.secrets, this.limits.wholeBytes);
    this.#merger = new SegmentMerger(sources, this.#segments, this.limits.segmentEntries);
    this.#cache = new DigestCache(this.limits.cachedChunks);
  }

  /** Everything that other writers have published so far. */
  async refresh(signal?: AbortSignal): Promise<IndexFilters> {
    await this.#segments.refresh(signal);
    return this.filters();
  }

  /** Right until the next refresh, or for who holds them. */
  filters(): IndexFilters {
    return { version: this.#segments.version, refs: this.#segments.all.map(({ filter }) => filter.ref) };
  }

  /** Filters as they are now, for other threads, until they are released. */
  holdFilters(): IndexFilters {
    const filters = this.filters();
    this.#segments.hold(filters.version);
    return filters;
  }

  releaseFilters(version: number): void {
    this.#segments.release(version);
  }

  /** Where each of these digests (16 bytes each) is stored; null for what is to be stored again, or is not there. */
  async lookUp(digests: Uint8Array, signal?: AbortSignal): Promise<(ChunkPlace | null)[]> {
    this.#forgetCondemned();
    const all = Buffer.from(digests.buffer, digests.byteOffset, digests.byteLength);
    const wanted = Array.from({ length: all.length / SHORT_DIGEST_BYTES }, (_, i) =>
      all.subarray(i * SHORT_DIGEST_BYTES, (i + 1) * SHORT_DIGEST_BYTES),
    );
    const places = wanted.map((digest) => this.#cached(digest));
    // Neighbours on a disk lie in one pack, mostly: its table, once read, answers for the rest.
    let left = [...wanted.keys()].filter((i) => places[i] === null);
    for (let round = FIRST_ROUND; left.length > 0; round *= NEXT_ROUND) {
      const asked = pickEvenly(left, round);
      await Promise.all(
        asked.map(async (i) => {
          places[i] = await this.#learn(wanted[i] ?? all, signal);
        }),
      );
      const settled = new Set(asked);
      left = left.filter((i) => !settled.has(i));
      for (const i of left) {
        places[i] = this.#cached(wanted[i] ?? all);
      }
      left = left.filter((i) => places[i] === null);
    }
    return places;
  }

  /** Packs that may hold the chunk of this digest, condemned ones too. */
  async packsOf(digest: Uint8Array, signal?: AbortSignal): Promise<readonly ObjectId[]> {
    const wanted = Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength);
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#search(wanted, signal);
      } catch (error) {
        if (tries === MAX_SEARCHES || !isAppError(error, 'VAULT_OBJECT_MISSING')) {
          throw error;
        }
        // Merged away since it was opened.
        await this.#segments.refresh(signal);
      }
    }
  }

  async relearn(): Promise<void> {
    await this.#segments.refresh();
  }

  /**
   * Writes what new packs hold; they must be durable. Named by its content, so that a retry writes nothing twice, and by
   * `apart`, for who must not find an older segment at the name.
   */
  async publish(packs: readonly IndexedPack[], signal?: AbortSignal, apart = ''): Promise<number> {
    const { store, secrets } = this.#sources;
    let storedBytes = 0;
    for (const some of divide(packs, this.limits.segmentEntries)) {
      const entries = sortEntries(some);
      const id = keyedDigest(secrets.nameKey, Buffer.from(`index\0${apart}`, 'utf8'), entries).toString('hex', 0, 16);
      const builder = new IndexSegmentBuilder(id, secrets, entries.length / ENTRY_BYTES, { bits: 0, prefix: 0 });
      for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
        builder.add(entries, at);
      }
      const data = builder.finish();
      await store.putIfAbsent(indexName(secrets.generation, id), [data], { signal });
      storedBytes += data.length;
    }
    packs.forEach(({ id, digests }) => this.#cache.add(id, digests));
    await this.#segments.refresh(signal);
    await this.#merger.run(signal);
    return storedBytes;
  }

  /** A block that is damaged costs deduplication with what it lists, and no backup. */
  async #search(digest: Buffer, signal?: AbortSignal): Promise<readonly ObjectId[]> {
    const [high, low] = [digest.readUInt32BE(0), digest.readUInt32BE(4)];
    const packs = new Set<ObjectId>();
    for (const segment of this.#segments.all.filter(({ filter }) => filter.mayHave(high, low))) {
      try {
        await segment.addPacksOf(digest, packs, signal);
      } catch (error) {
        requireDamage(error);
        if (isAppError(error, 'VAULT_OBJECT_MISSING')) {
          throw error;
        }
      }
    }
    return [...packs];
  }

  #cached(digest: Uint8Array): ChunkPlace | null {
    const place = this.#cache.find(digest);
    return place === null || this.#sources.condemned.has(place.pack) ? null : place;
  }

  /** Reads the table of a pack that has this chunk, if there is one. */
  async #learn(digest: Buffer, signal?: AbortSignal): Promise<ChunkPlace | null> {
    for (const pack of await this.packsOf(digest, signal)) {
      const known = this.#cached(digest);
      if (known !== null) {
        return known;
      }
      const isUsable = !this.#missing.has(pack) && !this.#sources.condemned.has(pack);
      const frame = isUsable ? ((await this.#readTable(pack))?.find(digest) ?? null) : null;
      if (frame !== null) {
        return { pack, frame: frame.ordinal };
      }
    }
    return null;
  }

  /** A new restore point must not rely on a pack that was lost: its chunks are at hand now, and perhaps never again. */
  async #readTable(pack: ObjectId): Promise<PackTable | null> {
    try {
      const table = await this.#sources.tables.get(pack);
      this.#cache.add(pack, table.shortDigests());
      return table;
    } catch (error) {
      requireDamage(error);
      this.#missing.add(pack);
      return null;
    }
  }

  #forgetCondemned(): void {
    const { last, gaps } = this.#sources.condemned;
    const state = `${last} ${gaps}`;
    if (state !== this.#condemnedState) {
      this.#condemnedState = state;
      this.#cache.clear();
    }
  }
}

/** Some of them, from all over the list. */
function pickEvenly(list: readonly number[], count: number): number[] {
  const step = Math.max(1, Math.floor(list.length / count));
  return list.filter((_, i) => i % step === 0);
}

function divide(packs: readonly IndexedPack[], maxEntries: number): IndexedPack[][] {
  const parts: IndexedPack[][] = [];
  let room = 0;
  for (const pack of packs) {
    const entries = pack.digests.length / SHORT_DIGEST_BYTES;
    if (parts.length === 0 || entries > room) {
      parts.push([]);
      room = maxEntries;
    }
    parts.at(-1)?.push(pack);
    room -= entries;
  }
  return parts;
}
