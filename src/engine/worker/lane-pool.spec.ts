import { randomBytes } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { newObjectId } from '../format/ids.ts';
import { deriveSecrets } from '../keys/key-schedule.ts';
import { ChunkTable } from '../index/chunk-table.ts';
import { SMALL_PARAMETERS } from '../testing/test-vault.ts';
import { packMemory } from './buffer-pool.ts';
import { LanePool } from './lane-pool.ts';
import type { Lane } from './lane.ts';

const keys = { keyId: 'test', repositoryKey: randomBytes(32), dedupSecret: randomBytes(32) };
const never = new AbortController().signal;

let pool: LanePool;

afterEach(() => pool.stop());

function makePool(size: number): LanePool {
  pool = new LanePool(size, deriveSecrets(keys, newObjectId(), 0), SMALL_PARAMETERS);
  return pool;
}

async function isOfUse(lane: Lane): Promise<boolean> {
  const tables = { filters: [], own: ChunkTable.allocate(1).buffer, ownBefore: null };
  const host = {
    nextPack: () => Promise.reject(new Error('nothing is written here')),
    packSealed: () => {},
    lookUp: () => Promise.reject(new Error('nothing is looked up here')),
  };
  try {
    await lane.beginWrite(tables, host);
    await lane.endWrite();
    return true;
  } catch {
    // Its thread is gone.
    return false;
  }
}

test('a lane whose thread died is not given to anybody again', async () => {
  const lanes = makePool(1);
  const first = await lanes.acquire(never);
  expect(await isOfUse(first)).toBe(true);
  await first.stop();
  lanes.release(first);
  const second = await lanes.acquire(never);
  expect(await isOfUse(second)).toBe(true);
});

test('who waits for a lane gets a living one', async () => {
  const lanes = makePool(1);
  const first = await lanes.acquire(never);
  const waiting = lanes.acquire(never);
  await first.stop();
  lanes.release(first);
  expect(await isOfUse(await waiting)).toBe(true);
});

test('waiting for a lane or for memory is given up as a cancelled operation', async () => {
  const lanes = makePool(1);
  await lanes.acquire(never);
  const controller = new AbortController();
  const waiting = lanes.acquire(controller.signal);
  const buffers = [lanes.buffers.acquire(never), lanes.buffers.acquire(never)];
  const memory = lanes.buffers.acquire(controller.signal);
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
  await expect(memory).rejects.toMatchObject({ code: 'CANCELLED' });
  await expect(lanes.acquire(controller.signal)).rejects.toMatchObject({ code: 'CANCELLED' });
  await expect(lanes.buffers.acquire(controller.signal)).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(await Promise.all(buffers)).toHaveLength(2);
});

test('memory goes on to who waits for it, there is never more than was allowed, and none is kept when all is back', async () => {
  const { buffers } = makePool(1);
  const first = await buffers.acquire(never);
  const second = await buffers.acquire(never);
  let given: ArrayBuffer | null = null;
  const third = buffers.acquire(never).then((buffer) => {
    given = buffer;
    return buffer;
  });
  await new Promise((settled) => {
    setImmediate(settled);
  });
  expect(given).toBe(null);
  buffers.release(first);
  expect(await third).toBe(first);
  expect(packMemory(first)).toHaveLength(SMALL_PARAMETERS.packBytes);
  buffers.release(second);
  buffers.release(first);
  expect([first.byteLength, second.byteLength]).toEqual([0, 0]);
  expect(packMemory(await buffers.acquire(never))).toHaveLength(SMALL_PARAMETERS.packBytes);
});
