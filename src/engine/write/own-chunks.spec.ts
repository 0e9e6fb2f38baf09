import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { ChunkTable } from '../index/chunk-table.ts';
import { OWN_PACK } from '../worker/protocol.ts';
import { OwnChunks, type OwnTables } from './own-chunks.ts';

const CHUNKS = 100;

/** Each in a pack of its own number. */
function fill(own: OwnChunks, from: number, count: number): void {
  for (let number = from; number < from + count; number += 1) {
    own.add(digestOf(number), number, 0);
  }
}

function digestOf(number: number): Uint8Array {
  return createHash('sha256').update(String(number)).digest().subarray(0, 16);
}

function packOf(buffer: SharedArrayBuffer | null, number: number): number | null {
  const table = buffer === null ? null : new ChunkTable(buffer);
  const slot = table?.find(digestOf(number)) ?? -1;
  return table === null || slot < 0 ? null : table.packAt(slot) - OWN_PACK;
}

function isFound({ own, ownBefore }: OwnTables, number: number): boolean {
  return packOf(own, number) === number || packOf(ownBefore, number) === number;
}

test('what fills half a table is published when no task adds to it any more, once', () => {
  const own = new OwnChunks(CHUNKS);
  const task = {};
  own.begin(task);
  fill(own, 0, CHUNKS / 2);
  expect(own.isDue()).toBe(false);
  expect(own.tables.ownBefore).toBeNull();
  fill(own, CHUNKS / 2, 1);
  expect(own.isDue()).toBe(false);
  expect(own.tables.ownBefore).not.toBeNull();
  own.begin({});
  expect(own.isDue()).toBe(false);
  own.end(task);
  expect(own.isDue()).toBe(true);
  expect(own.isDue()).toBe(false);
});

test('what was published is forgotten when all tasks know of it; what was not moves on', () => {
  const own = new OwnChunks(CHUNKS);
  fill(own, 0, CHUNKS / 2 + 1);
  expect(own.isDue()).toBe(true);
  const task = {};
  own.begin(task);
  own.forget(() => true);
  own.published();
  own.forget((pack) => pack < 50);
  expect(isFound(own.tables, 0)).toBe(true);
  own.end(task);
  own.forget((pack) => pack < 50);
  expect(own.tables.ownBefore).toBeNull();
  expect(isFound(own.tables, 49)).toBe(false);
  expect(isFound(own.tables, 50)).toBe(true);
});
