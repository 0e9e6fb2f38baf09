import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { newObjectId, type ObjectId } from '../format/ids.ts';
import { indexName } from '../format/names.ts';
import { SHORT_DIGEST_BYTES } from '../keys/digest.ts';
import { deriveSecrets } from '../keys/key-schedule.ts';
import { MemoryStore } from '../testing/memory-store.ts';
import { sortEntries, type IndexedPack } from './index-entries.ts';
import { IndexSegmentBuilder } from './index-segment-builder.ts';
import { openIndexSegment, packsInSegment, type IndexSegment } from './index-segment.ts';
import { mergeSegments, type Merge } from './merge-segments.ts';

const secret = new Uint8Array(32).fill(9);
const secrets = deriveSecrets({ keyId: 'k', repositoryKey: secret, dedupSecret: secret }, newObjectId(), 0);
const BITS = 2;

/** A pack with ten chunks whose digests all begin with these two bits. */
function packOf(prefix: number): IndexedPack {
  const digests: Buffer[] = [];
  for (let chunk = 0; digests.length < 10; chunk += 1) {
    const digest = createHash('sha256').update(`${prefix} ${chunk}`).digest().subarray(0, SHORT_DIGEST_BYTES);
    if ((digest[0] ?? 0) >> 6 === prefix) {
      digests.push(digest);
    }
  }
  return { id: newObjectId(), digests: Buffer.concat(digests) };
}

async function publish(store: MemoryStore, pack: IndexedPack): Promise<IndexSegment> {
  const entries = sortEntries([pack]);
  const id = newObjectId();
  const builder = new IndexSegmentBuilder(id, secrets, 10, { bits: 0, prefix: 0 });
  for (let at = 0; at < entries.length; at += entries.length / 10) {
    builder.add(entries, at);
  }
  return open(store, id, builder.finish());
}

async function open(store: MemoryStore, id: ObjectId, data: Uint8Array): Promise<IndexSegment> {
  const name = indexName(0, id);
  await store.putIfAbsent(name, [data]);
  const stored = (await store.head(name)) ?? { name, sizeBytes: 0 };
  return openIndexSegment(store, stored, secrets, { wholeBytes: 0 });
}

/** As many segments as this one gets done before it is killed; the packs of all that is stored under their names then. */
async function merge(store: MemoryStore, how: Merge, segments = Infinity): Promise<ReadonlySet<ObjectId>> {
  const packs = new Set<ObjectId>();
  let made = 0;
  for await (const { id, data } of mergeSegments(how, secrets)) {
    (await packsInSegment(await open(store, id, data))).forEach((pack) => packs.add(pack));
    made += 1;
    if (made === segments) {
      break;
    }
  }
  return packs;
}

test('a merge finds nothing in its way that a killed one made, which did not know that a pack was gone', async () => {
  const store = new MemoryStore();
  const packs = [0, 1, 2, 3].map(packOf);
  const inputs: IndexSegment[] = [];
  for (const pack of packs) {
    inputs.push(await publish(store, pack));
  }
  const [first, ...others] = packs.map(({ id }) => id);
  await merge(store, { inputs, bits: BITS, gone: new Set() }, 1);
  const merged = await merge(store, { inputs, bits: BITS, gone: new Set([first ?? '']) });
  expect([...merged].toSorted()).toEqual(others.toSorted());
});
