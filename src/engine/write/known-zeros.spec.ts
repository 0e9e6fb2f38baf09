import { createHash, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { BlockHasher, HASH_BYTES } from '../chunking/block-hasher.ts';
import { toCutRules } from '../chunking/cutter.ts';
import { planWindows, type BlockRun } from '../chunking/plan-windows.ts';
import { DiskGeometry } from '../disk-geometry.ts';
import { SHORT_DIGEST_BYTES } from '../keys/digest.ts';
import type { ManifestEntry } from '../manifest/segment-record.ts';
import { placeEntries, type PlacedEntry } from '../manifest/segment-table.ts';
import type { ChunkWriter } from '../worker/chunk-writer.ts';
import { cutSegment } from '../worker/cut-segment.ts';
import { allocateLaneMemory, slotView } from '../worker/lane-memory.ts';
import { CHUNK_INTS, HOLE, type SegmentDone } from '../worker/protocol.ts';
import { mergeRuns } from './changed-blocks.ts';
import { loadMore, loadSegment } from './load-segment.ts';
import { SegmentSource } from './segment-source.ts';
import type { SegmentPlan } from './write-plan.ts';

const BLOCK = 4 * KIB;
const PARAMETERS = {
  blockBytes: BLOCK,
  minChunkBytes: 6 * BLOCK,
  averageChunkBytes: 9 * BLOCK,
  maxChunkBytes: 20 * BLOCK,
  segmentBytes: 96 * BLOCK,
  packBytes: 512 * KIB,
};
const lane = allocateLaneMemory(PARAMETERS);
const hasher = new BlockHasher(lane.memory, new Uint8Array(32).fill(7));
const rules = toCutRules(PARAMETERS);
const signal = new AbortController().signal;

/** A segment as a string of what its blocks hold: 0 is zeros. */
const stretches = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 30 })), {
  minLength: 1,
  maxLength: 12,
});
const changes = fc.array(fc.tuple(fc.nat(95), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 3 })), {
  minLength: 1,
  maxLength: 6,
});

function toBlocks(lengths: readonly (readonly [number, number])[], bytes: number): Uint8Array {
  const data = new Uint8Array(bytes);
  let at = 0;
  for (const [kind, blocks] of lengths) {
    fillBlocks(data, { start: at, end: at + blocks }, kind);
    at += blocks;
  }
  return data;
}

function fillBlocks(data: Uint8Array, { start, end }: BlockRun, kind: number): void {
  for (let block = start; block < end && block * BLOCK < data.length; block += 1) {
    const filling = kind === 0 ? 0 : 1 + ((block * 7 + kind) % 250);
    data.fill(filling, block * BLOCK, (block + 1) * BLOCK);
  }
}

/** Chunks as digests of their bytes, which is what a writer would store; null: a hole. */
async function cut(disk: Uint8Array, plan: SegmentPlan): Promise<ManifestEntry[]> {
  const { limit, old } = plan;
  const slot = slotView(lane, 0);
  slot.set(randomBytes(slot.length));
  new Uint8Array(lane.memory.buffer, lane.hashesAt, limit * HASH_BYTES).set(randomBytes(limit * HASH_BYTES));
  const source = new SegmentSource(
    { concurrency: 2, read: async (offset, into) => into.set(disk.subarray(offset, offset + into.length)) },
    new DiskGeometry(disk.length, PARAMETERS),
    null,
    signal,
  );
  const writer: Pick<ChunkWriter, 'putAll' | 'use'> = {
    use: () => undefined,
    putAll: async (raws) => ({
      packs: [],
      places: raws.map((raw, frame) => ({ pack: 0, frame, digest: digestOf(raw), isNew: true })),
    }),
  };
  let loaded = await loadSegment(source, plan, slot);
  const table: (ManifestEntry | null)[] = Array.from({ length: limit }, () => null);
  old.forEach(({ start, entry }) => (table[start] = entry));
  for (;;) {
    const { windows } = loaded.plan;
    const { zeros } = loaded;
    const { places } = loaded.layout;
    const task = { slot: 0, limit, bytes: disk.length, windows, places, zeros, tables: null };
    const done = await cutSegment({ lane, hasher, rules, writer: writer as ChunkWriter }, task);
    place(table, done);
    if (done.open === null) {
      return table.filter((entry) => entry !== null);
    }
    loaded = await loadMore(source, loaded, done.open, slot);
  }
}

function place(table: (ManifestEntry | null)[], { runs }: SegmentDone): void {
  for (const { start, end, chunks, digests } of runs) {
    table.fill(null, start, end);
    let at = start;
    for (let i = 0; i < chunks.length / CHUNK_INTS; i += 1) {
      const blocks = chunks[i * CHUNK_INTS] ?? 0;
      const digest = digests.slice(i * SHORT_DIGEST_BYTES, (i + 1) * SHORT_DIGEST_BYTES);
      const chunk = chunks[i * CHUNK_INTS + 1] === HOLE ? null : { pack: '', frame: 0, digest };
      table[at] = { blocks, chunk };
      at += blocks;
    }
  }
}

function isZero(data: Uint8Array): boolean {
  return data.every((byte) => byte === 0);
}

function digestOf(raw: Uint8Array): Buffer {
  return createHash('sha256').update(raw).digest().subarray(0, SHORT_DIGEST_BYTES);
}

async function cutWhole(disk: Uint8Array): Promise<PlacedEntry[]> {
  const limit = Math.ceil(disk.length / BLOCK);
  const whole = { start: 0, end: limit };
  const windows = [{ ...whole, kept: 0, zeroAfter: false }];
  const table = await cut(disk, { segment: 0, limit, windows, dirty: [whole], old: [] });
  return placeEntries(table);
}

/** The same blocks cut along a change, and cut anew. */
async function cutAlong(before: Uint8Array, after: Uint8Array, dirty: readonly BlockRun[]) {
  const limit = Math.ceil(before.length / BLOCK);
  const old = await cutWhole(before);
  const along = await cut(after, { segment: 0, limit, dirty, old, windows: planWindows(dirty, old, limit) });
  return { along: placeEntries(along), anew: await cutWhole(after) };
}

test('a hole that comes to be of several, one of them read, goes on past its window', async () => {
  const data: (readonly [number, number])[] = [0, 1, 0, 2].map((kind) => [kind, 24]);
  const before = toBlocks(data, 96 * BLOCK);
  const after = before.slice();
  const dirty = { start: 23, end: 48 };
  fillBlocks(after, dirty, 0);
  const { along, anew } = await cutAlong(before, after, [dirty]);
  expect(along).toEqual(anew);
  expect(anew[0]).toMatchObject({ isHole: true, end: 72 });
});

test('holes that are not in the slot are cut, and stored, as if they were', async () => {
  await fc.assert(
    fc.asyncProperty(stretches, changes, fc.integer({ min: 1, max: 96 * BLOCK }), async (first, steps, bytes) => {
      const before = toBlocks(first, bytes);
      const old = await cutWhole(before);
      old.forEach(({ start, isHole }) =>
        expect(isHole).toBe(isZero(before.subarray(start * BLOCK, (start + 1) * BLOCK))),
      );
      const after = before.slice();
      const limit = Math.ceil(bytes / BLOCK);
      const dirty = mergeRuns(
        steps.map(([at, blocks, kind]) => {
          const run = { start: Math.min(at, limit - 1), end: Math.min(limit, Math.min(at, limit - 1) + blocks) };
          fillBlocks(after, run, kind);
          return run;
        }),
      );
      const { along, anew } = await cutAlong(before, after, dirty);
      expect(along).toEqual(anew);
    }),
    { numRuns: 800 },
  );
});
