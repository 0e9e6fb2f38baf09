import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { newObjectId, type ObjectId } from '../format/ids.ts';
import { indexName } from '../format/names.ts';
import { deriveSecrets } from '../keys/key-schedule.ts';
import { MemoryStore } from '../testing/memory-store.ts';
import { sortEntries } from './index-entries.ts';
import type { IndexSegment } from './index-segment.ts';
import { IndexSegmentBuilder } from './index-segment-builder.ts';
import { SegmentSet } from './segment-set.ts';

const secret = new Uint8Array(32).fill(5);
const secrets = deriveSecrets({ keyId: 'k', repositoryKey: secret, dedupSecret: secret }, newObjectId(), 0);
const WHOLE_BYTES = 2048;
const ROOM = 8 * WHOLE_BYTES;
const DIGEST = 16;

interface Stored {
  readonly digests: Buffer;
  readonly pack: ObjectId;
}

async function putSegment(store: MemoryStore, chunks: number): Promise<[string, Stored]> {
  const [id, pack, digests] = [newObjectId(), newObjectId(), randomBytes(DIGEST * chunks)];
  const entries = sortEntries([{ id: pack, digests }]);
  const builder = new IndexSegmentBuilder(id, secrets, chunks, { bits: 0, prefix: 0 });
  for (let at = 0; at < entries.length; at += entries.length / chunks) {
    builder.add(entries, at);
  }
  await store.putIfAbsent(indexName(0, id), [builder.finish()]);
  return [indexName(0, id), { digests, pack }];
}

function sizeOf(store: MemoryStore, { name }: IndexSegment): number {
  return store.objects.get(name)?.length ?? Infinity;
}

function keptBytes(store: MemoryStore, set: SegmentSet): number {
  const kept = set.all.filter(({ isResident }) => isResident);
  return kept.reduce((sum, segment) => sum + sizeOf(store, segment), 0);
}

/** Of each segment the first chunk and the last. */
async function requireFound(set: SegmentSet, stored: ReadonlyMap<string, Stored>): Promise<void> {
  const wrong: string[] = [];
  for (const segment of set.all) {
    const { digests, pack } = stored.get(segment.name) ?? { digests: Buffer.alloc(DIGEST), pack: '' };
    for (const digest of [digests.subarray(0, DIGEST), digests.subarray(-DIGEST)]) {
      const found = new Set<ObjectId>();
      await segment.addPacksOf(digest, found);
      const isIn = segment.filter.mayHave(digest.readUInt32BE(0), digest.readUInt32BE(4));
      if (!isIn || found.size !== 1 || !found.has(pack)) {
        wrong.push(segment.name);
      }
    }
  }
  expect(wrong).toEqual([]);
}

test('keeps small segments in memory as a whole while there is room, and finds what lies in the others too', async () => {
  const round = fc.record({
    added: fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 12, maxLength: 60, size: 'max' }),
    /** Of those that are there, in the order they came: as merges do away with them. */
    gone: fc.array(fc.nat(100), { maxLength: 40 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 5 }), async (rounds) => {
      const store = new MemoryStore();
      const set = new SegmentSet(store, secrets, WHOLE_BYTES);
      const stored = new Map<string, Stored>();
      for (const { added, gone } of rounds) {
        const names = [...stored.keys()];
        for (const name of gone.flatMap((at) => names[at] ?? [])) {
          store.objects.delete(name);
          stored.delete(name);
        }
        const before = new Set(set.all);
        for (const chunks of added) {
          stored.set(...(await putSegment(store, chunks)));
        }
        await set.refresh();
        expect(set.all.map(({ name }) => name).toSorted()).toEqual([...stored.keys()].toSorted());
        const kept = keptBytes(store, set);
        expect(kept).toBeLessThanOrEqual(ROOM);
        const refused = set.all.filter((segment) => !before.has(segment) && !segment.isResident);
        const smallest = Math.min(...refused.map((segment) => sizeOf(store, segment)));
        expect(smallest > WHOLE_BYTES || kept + smallest > ROOM).toBe(true);
        await requireFound(set, stored);
      }
    }),
    { numRuns: 30 },
  );
});

test('keeps the smallest of those that it meets together', async () => {
  const store = new MemoryStore();
  for (let i = 0; i < 40; i += 1) {
    await putSegment(store, i % 4 === 0 ? 5 : 60);
  }
  const set = new SegmentSet(store, secrets, WHOLE_BYTES);
  await set.refresh();
  expect(set.all.filter(({ isResident }) => !isResident).length).toBeGreaterThan(0);
  expect(set.all.filter(({ entries }) => entries < 60).every(({ isResident }) => isResident)).toBe(true);
});
