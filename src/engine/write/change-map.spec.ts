import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DiskGeometry } from '../disk-geometry.ts';
import { SMALL_PARAMETERS } from '../testing/test-vault.ts';
import { ChangeMap } from './change-map.ts';

const { blockBytes, segmentBytes } = SMALL_PARAMETERS;
const PIECE = 16 * blockBytes;
const perSegment = segmentBytes / blockBytes;

const size = fc.oneof(
  fc.integer({ min: 1, max: 20 * segmentBytes }),
  fc.integer({ min: 1, max: 300 }).map((n) => n * PIECE),
);
const anywhere = fc.record({ offset: fc.nat(21 * segmentBytes), length: fc.nat(3 * segmentBytes) });
const pieces = fc.record({ offset: fc.nat(320).map((n) => n * PIECE), length: fc.nat(40).map((n) => n * PIECE) });
const changes = fc.oneof(fc.array(anywhere, { maxLength: 8 }), fc.array(pieces, { maxLength: 8 }));

/** The same, as plainly as it can be said. */
function dirtyBlocks(changed: readonly { offset: number; length: number }[], now: number, before: number): boolean[] {
  const blocks = Math.ceil(now / blockBytes);
  const common = Math.floor(Math.min(now, before) / blockBytes);
  return Array.from({ length: blocks }, (_, block) => {
    const [start, end] = [block * blockBytes, (block + 1) * blockBytes];
    const isChanged = changed.some((r) => r.length > 0 && r.offset < end && r.offset + r.length > start);
    return isChanged || (now !== before && block >= common - 1);
  });
}

test('says of every block what the list says', () => {
  fc.assert(
    fc.property(changes, size, fc.option(size), (changed, now, other) => {
      const before = other ?? now;
      const geometry = new DiskGeometry(now, SMALL_PARAMETERS);
      const map = new ChangeMap(changed, geometry, before);
      const wanted = dirtyBlocks(changed, now, before);
      const said = wanted.map(() => false);
      let bytes = 0;
      for (const segment of map.segments) {
        const runs = map.runs(segment);
        expect(runs.length).toBeGreaterThan(0);
        expect(runs.every((run, i) => run.start > (runs[i - 1]?.end ?? -1))).toBe(true);
        const inSegment = Math.min(perSegment, wanted.length - segment * perSegment);
        for (const { start, end } of runs) {
          expect(end).toBeLessThanOrEqual(inSegment);
          said.fill(true, segment * perSegment + start, segment * perSegment + end);
          bytes +=
            Math.min(now, segment * segmentBytes + end * blockBytes) - segment * segmentBytes - start * blockBytes;
        }
      }
      expect(said).toEqual(wanted);
      expect(map.bytes).toBe(bytes);
      expect(map.digest()).toBe(new ChangeMap(changed.toReversed(), geometry, before).digest());
    }),
    { numRuns: 1000 },
  );
});

test('a run overlaps what has a dirty block in it, and nothing else', () => {
  const runs = fc.array(fc.tuple(fc.nat(20 * perSegment), fc.integer({ min: 1, max: 40 })), { minLength: 20 });
  fc.assert(
    fc.property(changes, size, runs, (changed, now, places) => {
      const map = new ChangeMap(changed, new DiskGeometry(now, SMALL_PARAMETERS), now);
      const wanted = dirtyBlocks(changed, now, now);
      for (const [at, blocks] of places.filter(([first]) => first < wanted.length)) {
        const [segment, start] = [Math.floor(at / perSegment), at % perSegment];
        const last = Math.min(wanted.length, at + blocks, (segment + 1) * perSegment);
        const end = start + last - at;
        expect(map.overlaps(segment, { start, end })).toBe(wanted.slice(at, last).includes(true));
      }
    }),
    { numRuns: 500 },
  );
});

test('two lists that differ in one block have two names', () => {
  const geometry = new DiskGeometry(8 * segmentBytes, SMALL_PARAMETERS);
  const digests = [0, 1, 15, 16, 17, 200].map((block) => {
    return new ChangeMap([{ offset: block * blockBytes, length: 1 }], geometry, geometry.sizeBytes).digest();
  });
  expect(new Set(digests).size).toBe(digests.length);
});

test('takes up little memory for a disk of 10 TiB', () => {
  const geometry = new DiskGeometry(10 * 2 ** 40, { ...SMALL_PARAMETERS, segmentBytes: 32 * 2 ** 20 });
  const changed = [{ offset: 9 * 2 ** 40, length: 64 * 1024 }];
  const map = new ChangeMap(changed, geometry, geometry.sizeBytes);
  expect(map.bytes).toBe(64 * 1024);
  expect(map.segments).toEqual([(9 * 2 ** 40) / (32 * 2 ** 20)]);
});
