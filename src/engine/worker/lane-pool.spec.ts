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
const { packBytes } = SMALL_PARAMETERS;
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
  const buffers = [lanes.buffers.acquire(packBytes, never), lanes.buffers.acquire(packBytes, never)];
  const memory = lanes.buffers.acquire(packBytes, controller.signal);
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
  await expect(memory).rejects.toMatchObject({ code: 'CANCELLED' });
  await expect(lanes.acquire(controller.signal)).rejects.toMatchObject({ code: 'CANCELLED' });
  await expect(lanes.buffers.acquire(packBytes, controller.signal)).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(await Promise.all(buffers)).toHaveLength(2);
});

test('memory goes on to who waits for it, there is never more than was allowed, and none is kept when all is back', async () => {
  const { buffers } = makePool(1);
  const first = await buffers.acquire(packBytes, never);
  const second = await buffers.acquire(packBytes, never);
  let given: ArrayBuffer | null = null;
  const third = buffers.acquire(packBytes, never).then((buffer) => {
    given = buffer;
    return buffer;
  });
  await settle();
  expect(given).toBe(null);
  buffers.release(first);
  expect(await third).toBe(first);
  expect(packMemory(first)).toHaveLength(packBytes);
  buffers.release(second);
  buffers.release(first);
  expect([first.byteLength, second.byteLength]).toEqual([0, 0]);
  expect(packMemory(await buffers.acquire(packBytes, never))).toHaveLength(packBytes);
});

test('many small buffers take as much memory as few large ones, and who asked for much is not passed by', async () => {
  const { buffers } = makePool(1);
  const half = packBytes / 2;
  const small = [await buffers.acquire(half, never), await buffers.acquire(half, never)];
  const last = await buffers.acquire(half, never);
  const given: string[] = [];
  const note = (what: string) => (buffer: ArrayBuffer) => {
    given.push(what);
    return buffer;
  };
  const large = buffers.acquire(packBytes, never).then(note('large'));
  const later = buffers.acquire(half, never).then(note('small'));
  await settle();
  expect(given).toEqual([]);
  buffers.release(last);
  await settle();
  expect(given).toEqual(['large']);
  expect(last.byteLength).toBe(0);
  small.forEach((buffer) => buffers.release(buffer));
  expect(packMemory(await later)).toHaveLength(half);
  buffers.lose(half);
  const kept = await large;
  buffers.release(kept);
  expect(kept.byteLength).toBe(0);
});

test('who waits behind one that gives up is served', async () => {
  const { buffers } = makePool(1);
  const first = await buffers.acquire(packBytes, never);
  const controller = new AbortController();
  const large = buffers.acquire(2 * packBytes, controller.signal);
  const small = buffers.acquire(packBytes, never);
  controller.abort();
  await expect(large).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(packMemory(await small)).toHaveLength(packBytes);
  buffers.release(first);
});

function settle(): Promise<void> {
  return new Promise((settled) => {
    setImmediate(settled);
  });
}
