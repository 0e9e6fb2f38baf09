import { randomBytes } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { newObjectId } from '../format/ids.ts';
import { plainDigest } from '../keys/digest.ts';
import { deriveSecrets } from '../keys/key-schedule.ts';
import { MemoryStore } from '../testing/memory-store.ts';
import { SMALL_PARAMETERS } from '../testing/test-vault.ts';
import { LanePool } from '../worker/lane-pool.ts';
import { hasItsHash } from './hash-pack.ts';

const { segmentBytes } = SMALL_PARAMETERS;
const { signal } = new AbortController();
const keys = { keyId: 'test', repositoryKey: randomBytes(32), dedupSecret: randomBytes(32) };
const lanes = new LanePool(1, deriveSecrets(keys, newObjectId(), 0), SMALL_PARAMETERS);

afterAll(() => lanes.stop());

test.each([1, segmentBytes, segmentBytes + 1, 2 * segmentBytes, 5 * segmentBytes + 77])(
  'a pack of %i bytes has its hash until one of them changes, whichever stretch it is in',
  async (bytes) => {
    const store = new MemoryStore();
    const data = randomBytes(bytes);
    const name = 'data/pack';
    await store.putIfAbsent(name, [data, plainDigest(data)]);
    const lane = await lanes.acquire(signal);
    const check = (): Promise<boolean> => hasItsHash(store, lane, { name, sizeBytes: bytes + 32 }, signal);
    expect(await check()).toBe(true);
    for (let at = Math.floor(segmentBytes / 3) % bytes; at < bytes; at += segmentBytes) {
      const damaged = Buffer.concat([data, plainDigest(data)]);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      store.objects.set(name, damaged);
      expect(await check()).toBe(false);
    }
    lanes.release(lane);
  },
);
