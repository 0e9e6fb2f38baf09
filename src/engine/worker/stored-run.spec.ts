import { expect, test } from 'vitest';
import { HOLE } from './protocol.ts';
import { toStoredRun } from './stored-run.ts';

const places = [3, 4].map((pack) => ({ digest: new Uint8Array(16).fill(pack), pack, frame: 10 * pack, isNew: true }));

test('each chunk but a hole takes the next place', () => {
  const chunks = [
    { start: 8, end: 10, isHole: false },
    { start: 10, end: 14, isHole: true },
    { start: 14, end: 15, isHole: false },
  ];
  const run = toStoredRun({ start: 8, end: 15, chunks }, places[Symbol.iterator]());
  expect([...run.chunks]).toEqual([2, 3, 30, 4, HOLE, 0, 1, 4, 40]);
  expect([...run.digests]).toEqual([3, 0, 4].flatMap((byte) => Array.from({ length: 16 }, () => byte)));
  expect(run).toMatchObject({ start: 8, end: 15 });
});

test.each([
  ['too few', 8, 11],
  ['too many', 9, 10],
])('%s blocks for the run are refused: the rest would be another part of the disk', (_, start, end) => {
  const run = { start, end, chunks: [{ start: 8, end: 10, isHole: false }] };
  expect(() => toStoredRun(run, places[Symbol.iterator]())).toThrow(`chunks of 2 blocks for ${start} to ${end}`);
});
