import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OBJECT_KIND } from '../format/header.ts';
import { newObjectId, type ObjectId } from '../format/ids.ts';
import { packName } from '../format/names.ts';
import { PackBuilder } from '../format/pack-builder.ts';
import { DIGEST_BYTES, SHORT_DIGEST_BYTES } from '../keys/digest.ts';
import { deriveSecrets } from '../keys/key-schedule.ts';
import { PackTables } from '../restore/pack-tables.ts';
import { MemoryStore } from '../testing/memory-store.ts';
import { ChunkFilter } from './chunk-filter.ts';
import { ChunkIndex, type IndexLimits } from './chunk-index.ts';
import type { ChunkPlace } from './digest-cache.ts';
import type { IndexedPack } from './index-entries.ts';

const secret = new Uint8Array(32).fill(7);
const secrets = deriveSecrets({ keyId: 'k', repositoryKey: secret, dedupSecret: secret }, newObjectId(), 0);
/** So small that everything is merged, divided, read by blocks and forgotten within a few hundred chunks. */
const BOUNDED: IndexLimits = { segmentEntries: 300, wholeBytes: 0, cachedChunks: 40, ownChunks: 64 };

class Condemned {
  readonly list = new Set<ObjectId>();
  gaps = 0;

  get last(): number {
    return this.list.size;
  }

  has(pack: ObjectId): boolean {
    return this.list.has(pack);
  }

  packs(): ReadonlySet<ObjectId> {
    return this.list;
  }
}

class CountingStore extends MemoryStore {
  reads: string[] = [];

  override async get(name: string): Promise<Uint8Array> {
    this.reads.push(name);
    return super.get(name);
  }

  override async getRange(name: string, offset: number, into: Uint8Array): Promise<void> {
    this.reads.push(name);
    await super.getRange(name, offset, into);
  }
}

let store: CountingStore;
let condemned: Condemned;

beforeEach(() => {
  store = new CountingStore();
  condemned = new Condemned();
});

afterEach(() => {
  store.objects.clear();
});

function openIndex(limits: Partial<IndexLimits> = BOUNDED): ChunkIndex {
  const tables = new PackTables(store, secrets, condemned);
  return new ChunkIndex({ store, secrets, condemned, tables }, limits);
}

function digestOf(chunk: number): Buffer {
  return createHash('sha256').update(`chunk ${chunk}`).digest();
}

/** A pack with a table and without frames worth the name: an index looks at nothing else. */
async function putPack(chunks: readonly number[]): Promise<IndexedPack> {
  const id = newObjectId();
  const buffer = new Uint8Array(4096 + chunks.length * 128);
  const builder = new PackBuilder(buffer, OBJECT_KIND.dataPack, id, secrets);
  chunks.forEach((chunk) => builder.append(Uint8Array.of(chunk & 255), digestOf(chunk).subarray(0, DIGEST_BYTES)));
  await store.putIfAbsent(packName('data', id), [buffer.subarray(0, builder.finish())]);
  return { id, digests: Buffer.concat(chunks.map((chunk) => digestOf(chunk).subarray(0, SHORT_DIGEST_BYTES))) };
}

function lookUp(index: ChunkIndex, chunks: readonly number[]): Promise<(ChunkPlace | null)[]> {
  return index.lookUp(Buffer.concat(chunks.map((chunk) => digestOf(chunk).subarray(0, SHORT_DIGEST_BYTES))));
}

function segments(): string[] {
  return [...store.objects.keys()].filter((name) => name.startsWith('index/'));
}

function numbers(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}

describe('the index', () => {
  test('finds what a whole table in memory would find, whatever was published and merged, in any order', async () => {
    const pack = fc.uniqueArray(fc.nat(2000), { minLength: 1, maxLength: 120 });
    const writes = fc.array(fc.array(pack, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 24 });
    await fc.assert(
      fc.asyncProperty(writes, fc.array(fc.nat(2600), { minLength: 1, maxLength: 60 }), async (all, asked) => {
        store.objects.clear();
        const model = new Map<number, Set<string>>();
        const writers = [openIndex(), openIndex()];
        for (const [i, packs] of all.entries()) {
          const writer = writers[i % 2] ?? openIndex();
          const stored = await Promise.all(packs.map((chunks) => putPack(chunks)));
          packs.forEach((chunks, at) =>
            chunks.forEach((chunk, frame) => {
              model.set(chunk, (model.get(chunk) ?? new Set()).add(`${stored[at]?.id} ${frame}`));
            }),
          );
          await writer.publish(stored);
        }
        for (const limits of [BOUNDED, {}]) {
          const reader = openIndex(limits);
          await reader.refresh();
          for (const [i, place] of (await lookUp(reader, asked)).entries()) {
            const wanted = model.get(asked[i] ?? -1);
            expect(place === null).toBe(wanted === undefined);
            expect(place === null || wanted?.has(`${place.pack} ${place.frame}`)).toBe(true);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test('merges: the count of segments grows with the logarithm of the chunks, and nothing is lost', async () => {
    const writer = openIndex({ ...BOUNDED, segmentEntries: 100_000, cachedChunks: 10_000 });
    for (let i = 0; i < 65; i += 1) {
      await writer.publish([await putPack(numbers(i * 100, 100))]);
    }
    expect(segments().length).toBeLessThan(9);
    const places = await lookUp(writer, numbers(0, 6500));
    expect(places.every((place) => place !== null)).toBe(true);
  });

  test('divides what is too large for one segment by the first bits of digests', async () => {
    const writer = openIndex();
    await Promise.all([0, 1, 2, 3].map(async (i) => writer.publish([await putPack(numbers(i * 280, 280))])));
    await writer.publish([await putPack([5000])]);
    const refs = writer.filters().refs;
    expect(new Set(refs.map(({ bits, prefix }) => `${bits}/${prefix}`)).size).toBeGreaterThan(4);
    expect((await lookUp(openIndex(), [1])).every((place) => place === null)).toBe(true);
    const reader = openIndex();
    await reader.refresh();
    expect((await lookUp(reader, numbers(0, 1120))).every((place) => place !== null)).toBe(true);
  });

  test('holds filters as they were for who asked for it, and uses their memory again afterwards', async () => {
    const writer = openIndex();
    await writer.publish([await putPack(numbers(0, 200))]);
    const { version, refs } = writer.holdFilters();
    const held = refs.map((ref) => new ChunkFilter(ref));
    for (let i = 2; i < 40; i += 1) {
      await writer.publish([await putPack(numbers(i * 100, 100))]);
    }
    expect(writer.filters().version).toBeGreaterThan(version);
    const digests = numbers(0, 200).map((number) => digestOf(number));
    const isHeld = (digest: Buffer): boolean =>
      held.some((filter) => filter.mayHave(digest.readUInt32BE(0), digest.readUInt32BE(4)));
    expect(digests.every(isHeld)).toBe(true);
    expect(
      numbers(4000, 200)
        .map((number) => digestOf(number))
        .filter(isHeld).length,
    ).toBeLessThan(20);
    writer.releaseFilters(version);
    const before = Math.max(...writer.filters().refs.flatMap(({ pages }) => [...pages]));
    for (let i = 40; i < 60; i += 1) {
      await writer.publish([await putPack(numbers(i * 100, 100))]);
    }
    const { refs: after } = writer.filters();
    expect(Math.max(...after.flatMap(({ pages }) => [...pages]))).toBeLessThan(before + 20);
  });

  test('reads one block, and the table of the pack that it finds, for many neighbours', async () => {
    const writer = openIndex({ ...BOUNDED, segmentEntries: 100_000 });
    await writer.publish([await putPack(numbers(0, 4000)), await putPack(numbers(4000, 200))]);
    const reader = openIndex({ wholeBytes: 0 });
    await reader.refresh();
    store.reads = [];
    const places = await lookUp(reader, numbers(4000, 200));
    expect(places.every((place) => place !== null)).toBe(true);
    const blocks = store.reads.filter((name) => name.startsWith('index/'));
    expect(blocks.length).toBeLessThanOrEqual(8);
    store.reads = [];
    await lookUp(reader, numbers(9000, 200));
    expect(store.reads.length).toBeLessThan(20);
  });

  test('gives out no place in a pack that is condemned, gone or damaged, and another that has the chunk', async () => {
    const [first, second, third] = [await putPack([1, 2]), await putPack([2, 3]), await putPack([1, 3, 4])];
    const index = openIndex();
    await index.publish([first, second, third]);
    condemned.list.add(first.id);
    expect((await lookUp(index, [1, 2])).map((place) => place?.pack)).toEqual([third.id, second.id]);
    store.objects.delete(packName('data', second.id));
    const fresh = openIndex();
    await fresh.refresh();
    expect((await lookUp(fresh, [1, 2, 3])).map((place) => place?.pack)).toEqual([third.id, undefined, third.id]);
    store.objects.get(packName('data', third.id))?.fill(0, 70);
    const later = openIndex();
    await later.refresh();
    expect(await lookUp(later, [1, 2, 3, 4])).toEqual([null, null, null, null]);
  });

  test('finds chunks whose segments were merged by somebody else since it read them', async () => {
    const writer = openIndex();
    for (let i = 0; i < 3; i += 1) {
      await writer.publish([await putPack(numbers(i * 10, 10))]);
    }
    const reader = openIndex();
    await reader.refresh();
    const before = segments();
    await writer.publish([await putPack(numbers(30, 10))]);
    expect(segments().some((name) => before.includes(name))).toBe(false);
    expect((await lookUp(reader, numbers(0, 30))).every((place) => place !== null)).toBe(true);
  });

  test('finds a chunk whose segment is merged again each time it was listed', async () => {
    await openIndex().publish([await putPack(numbers(0, 3))]);
    store.reads = [];
    const reader = openIndex();
    await reader.refresh();
    const readsToOpen = store.reads.length;
    const reads = new Map(store.reads.map((name) => [name, readsToOpen]));
    let merges = 0;
    store.getRange = async (name, offset, into) => {
      reads.set(name, (reads.get(name) ?? 0) + 1);
      if (name.startsWith('index/') && merges < 4 && reads.get(name) === readsToOpen + 1) {
        merges += 1;
        await store.delete(name);
        await openIndex().publish([await putPack(numbers(0, 3))]);
        reads.clear();
      }
      await MemoryStore.prototype.getRange.call(store, name, offset, into);
    };
    expect(await lookUp(reader, [1])).not.toContain(null);
    expect(merges).toBe(4);
  });

  test('survives a merge that ended before its inputs went, and one that is done twice', async () => {
    const writer = openIndex();
    for (let i = 0; i < 3; i += 1) {
      await writer.publish([await putPack(numbers(i * 10, 10))]);
    }
    const inputs = new Map(store.objects);
    await writer.publish([await putPack(numbers(30, 10))]);
    const merged = segments();
    inputs.forEach((data, name) => store.objects.set(name, data));
    const other = openIndex();
    await other.publish([await putPack(numbers(40, 10))]);
    const reader = openIndex();
    await reader.refresh();
    expect((await lookUp(reader, numbers(0, 50))).every((place) => place !== null)).toBe(true);
    expect(merged).toHaveLength(1);
  });

  test('leaves entries of packs that were condemned and deleted out of merges', async () => {
    const writer = openIndex();
    const gone = await putPack([1, 2, 3]);
    await writer.publish([gone]);
    condemned.list.add(gone.id);
    store.objects.delete(packName('data', gone.id));
    for (let i = 0; i < 3; i += 1) {
      await writer.publish([await putPack(numbers(10 + i * 10, 10))]);
    }
    expect(segments()).toHaveLength(1);
    expect(await writer.packsOf(digestOf(1))).toEqual([]);
    expect(await writer.packsOf(digestOf(10))).toHaveLength(1);
  });
});
