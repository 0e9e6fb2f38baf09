import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BLOCK_BYTES } from '../chunking/block-hasher.ts';
import { newObjectId } from '../format/ids.ts';
import { ChunkTable } from '../index/chunk-table.ts';
import { deriveSecrets } from '../keys/key-schedule.ts';
import { SMALL_PARAMETERS } from '../testing/test-vault.ts';
import { Lane, type WriteHost } from './lane.ts';
import type { SegmentTask, SealedPack } from './protocol.ts';

const keys = { keyId: 'test', repositoryKey: randomBytes(32), dedupSecret: randomBytes(32) };
const tables = { filters: [], own: ChunkTable.allocate(1000).buffer, ownBefore: null };
const { packBytes, segmentBytes } = SMALL_PARAMETERS;
const limit = segmentBytes / BLOCK_BYTES;

let lane: Lane;
let given: number;
let sealed: SealedPack[];

/** Gives memory only after a while: meanwhile the worker could do something else. */
const host: WriteHost = {
  nextPack: async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    given += 1;
    return { id: newObjectId(), number: given, buffer: new ArrayBuffer(packBytes + BLOCK_BYTES) };
  },
  packSealed: (pack) => void sealed.push(pack),
  lookUp: () => Promise.reject(new Error('nothing is looked up here')),
};

beforeEach(() => {
  given = 0;
  sealed = [];
  lane = new Lane(deriveSecrets(keys, newObjectId(), 0), SMALL_PARAMETERS);
});

afterEach(() => lane.stop());

/** All of a segment of noise, in one slot or the other. */
function wholeSegment(slot: number): SegmentTask {
  const windows = [{ start: 0, kept: 0, end: limit, zeroAfter: false }];
  const places = [{ start: 0, shift: 0 }];
  return { slot, limit, bytes: segmentBytes, windows, places, zeros: [], tables: null };
}

test('what is asked for at once is done one after the other, also where that has to wait', async () => {
  lane.slot(0).set(randomBytes(segmentBytes));
  lane.slot(1).set(randomBytes(segmentBytes));
  await lane.beginWrite(tables, host);
  const done = await Promise.all([wholeSegment(0), wholeSegment(1)].map((task) => lane.segment(task)));
  await lane.endWrite();
  const frames = sealed.reduce((sum, { digests }) => sum + digests.length / 16, 0);
  expect(done.map(({ chunksNew, chunksRead }) => chunksNew - chunksRead)).toEqual([0, 0]);
  expect(frames).toBe(done.reduce((sum, { chunksNew }) => sum + chunksNew, 0));
  expect(sealed).toHaveLength(given);
});

test('what was asked for after a task that failed is refused', async () => {
  await lane.beginWrite(tables, host);
  const tasks = [wholeSegment(2), wholeSegment(1)].map((task) => lane.segment(task));
  const codes = await Promise.allSettled(tasks);
  expect(codes).toMatchObject([
    { status: 'rejected', reason: { code: 'INTERNAL' } },
    { status: 'rejected', reason: { code: 'CANCELLED' } },
  ]);
  await expect(lane.endWrite()).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(given).toBe(0);
});

test('what reaches past its slot is refused: there lie the blocks of another segment', async () => {
  await lane.beginWrite(tables, host);
  await expect(lane.segment({ ...wholeSegment(0), places: [{ start: 0, shift: -1 }] })).rejects.toThrow('of the slot');
  expect(given).toBe(0);
});

test('what can’t be sent fails, and is not waited for', async () => {
  await lane.beginWrite(tables, host);
  const unsendable = { ...wholeSegment(0), zeros: [() => 0] } as unknown as SegmentTask;
  await expect(lane.segment(unsendable)).rejects.toThrow('could not be cloned');
  await lane.dropWrite();
});

test('everything that was asked of a thread that ends fails', async () => {
  await lane.beginWrite(tables, { ...host, nextPack: () => new Promise(() => {}) });
  lane.slot(0).set(randomBytes(segmentBytes));
  const tasks = [wholeSegment(0), wholeSegment(1)].map((task) => lane.segment(task));
  const ended = Promise.allSettled(tasks);
  await lane.stop();
  expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});
