import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergeRuns } from '../write/changed-blocks.ts';
import type { CutRules } from './cutter.ts';
import { extendWindow, planWindows, type BlockRun, type OldChunk } from './plan-windows.ts';
import { rechunk, type CutChunk, type CutRun } from './rechunk.ts';

const RULES: CutRules = { minBlocks: 3, maxBlocks: 9, threshold: 2 ** 30 };
const POISON = 0x5555_5555;

/** A block: 0 is zeros, 1 says cut, anything else does not. */
type Block = number;

function toHashes(blocks: readonly Block[]): Uint32Array {
  const words = blocks.flatMap((block) => (block === 0 ? [0, 0] : [1, block === 1 ? 5 : 2 ** 31 + block]));
  return Uint32Array.from(words);
}

/** The rules once more, as plainly as they can be said. */
function chunkPlainly(blocks: readonly Block[]): OldChunk[] {
  const chunks: OldChunk[] = [];
  let start = 0;
  while (start < blocks.length) {
    let end = start + 1;
    if (blocks[start] === 0) {
      while (blocks[end] === 0) {
        end += 1;
      }
    } else {
      const isLongEnough = (): boolean => end - start >= RULES.minBlocks;
      const isCut = (): boolean =>
        isLongEnough() && (blocks[end] === 0 || blocks[end - 1] === 0 || blocks[end - 1] === 1);
      while (end < blocks.length && end - start < RULES.maxBlocks && !isCut()) {
        end += 1;
      }
    }
    chunks.push({ start, end, isHole: blocks[start] === 0 });
    start = end;
  }
  return chunks;
}

/** As a write does it: windows are loaded, cut, and extended while a chunk goes on. Unloaded blocks are poison. */
function rechunkAlong(blocks: readonly Block[], old: readonly OldChunk[], dirty: readonly BlockRun[]): CutRun[] {
  const limit = blocks.length;
  const truth = toHashes(blocks);
  const hashes = new Uint32Array(truth.length).fill(POISON);
  const load = (start: number, end: number): void => hashes.set(truth.subarray(start * 2, end * 2), start * 2);
  let windows = planWindows(dirty, old, limit);
  windows.forEach(({ start, end }) => load(start, end));
  const runs: CutRun[] = [];
  for (;;) {
    const done = rechunk({ hashes, limit, windows, rules: RULES });
    runs.push(...done.runs);
    if (done.open === null) {
      return runs;
    }
    const [first, ...rest] = windows.slice(done.open.window);
    if (first === undefined) {
      throw new Error('no window is open');
    }
    const extended = extendWindow(first, done.open.start, old, limit);
    expect(extended.end).toBeGreaterThan(first.end);
    load(first.end, extended.end);
    windows = [extended, ...rest];
  }
}

function splice(old: readonly OldChunk[], runs: readonly CutRun[], limit: number): CutChunk[] {
  const covered = (chunk: OldChunk): boolean => runs.some((run) => chunk.start < run.end && chunk.end > run.start);
  const kept = old.filter((chunk) => chunk.end <= limit && !covered(chunk));
  return [...kept, ...runs.flatMap((run) => run.chunks)].toSorted((a, b) => a.start - b.start);
}

const block = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.constant(1), {
  weight: 5,
  arbitrary: fc.integer({ min: 2, max: 4 }),
});
const blocks = fc.array(block, { minLength: 1, maxLength: 90 });
const change = fc.record({ at: fc.nat(100), content: fc.array(block, { minLength: 1, maxLength: 12 }) });

test('cutting a whole segment follows the rules', () => {
  fc.assert(
    fc.property(blocks, (content) => {
      const limit = content.length;
      const windows = [{ start: 0, kept: 0, end: limit, zeroAfter: false }];
      const { runs } = rechunk({ hashes: toHashes(content), limit, windows, rules: RULES });
      expect(runs.flatMap((run) => run.chunks)).toEqual(chunkPlainly(content));
    }),
    { numRuns: 2000 },
  );
});

test('re-chunking along a change list is the same as chunking anew, also when the segment grew or shrank', () => {
  fc.assert(
    fc.property(
      blocks,
      fc.array(change, { maxLength: 6 }),
      fc.option(fc.integer({ min: 1, max: 100 })),
      (before, changes, size) => {
        const limit = size ?? before.length;
        const after = Array.from({ length: limit }, (_, i) => before[i] ?? 0);
        const dirty: BlockRun[] = [];
        for (const { at, content } of changes) {
          content.slice(0, Math.max(0, limit - at)).forEach((value, i) => {
            after[at + i] = value;
          });
          dirty.push({ start: at, end: Math.min(limit, at + content.length) });
        }
        if (limit !== before.length) {
          dirty.push({ start: Math.max(0, Math.min(limit, before.length) - 1), end: limit });
        }
        const old = chunkPlainly(before);
        const runs = rechunkAlong(after, old, mergeRuns(dirty));
        expect(splice(old, runs, limit)).toEqual(chunkPlainly(after));
      },
    ),
    { numRuns: 5000 },
  );
});

test('a chunk before a change stays where it ends as before, and is cut again where it does not', () => {
  const before = [2, 2, 2, 1, 3, 3, 3, 1];
  const old = chunkPlainly(before);
  const dirty = [{ start: 4, end: 5 }];
  const cut = (after: readonly Block[]): CutRun[] => rechunkAlong(after, old, dirty);
  expect(cut([2, 2, 2, 1, 4, 3, 3, 1])).toEqual([{ start: 4, end: 8, chunks: [{ start: 4, end: 8, isHole: false }] }]);
  const ends = [2, 2, 2, 2, 0, 0, 0, 0];
  const goesOn = [2, 2, 2, 2, 3, 0, 0, 0];
  const [run] = rechunkAlong(goesOn, chunkPlainly(ends), dirty);
  expect(run?.chunks[0]).toEqual({ start: 0, end: 5, isHole: false });
});

test('zeros that no list names, where two windows touch, cost nothing but themselves', () => {
  const before = [2, 2, 2, 1, 2, 2, 1, 3, 3, 1];
  const after = [2, 2, 2, 2, 0, 0, 0, 4, 3, 1];
  const old = chunkPlainly(before);
  const runs = rechunkAlong(after, old, [
    { start: 3, end: 4 },
    { start: 7, end: 8 },
  ]);
  const ends = runs.flatMap((run) => [run.chunks.at(0)?.start, run.chunks.at(-1)?.end]);
  expect(ends).toEqual(runs.flatMap(({ start, end }) => [start, end]));
  const table = splice(old, runs, after.length);
  expect(table.map(({ start }) => start)).toEqual([0, ...table.slice(0, -1).map(({ end }) => end)]);
});

test('a window ends at the first old cut behind what is dirty; windows that touch stay apart', () => {
  const old = [4, 8, 12, 16].map((end) => ({ start: end - 4, end, isHole: false }));
  expect(planWindows([{ start: 5, end: 8 }], old, 16)).toMatchObject([{ start: 4, kept: 4, end: 8 }]);
  expect(
    planWindows(
      [
        { start: 5, end: 6 },
        { start: 12, end: 13 },
      ],
      old,
      16,
    ),
  ).toMatchObject([
    { start: 4, kept: 4, end: 8 },
    { start: 8, kept: 12, end: 16 },
  ]);
});
