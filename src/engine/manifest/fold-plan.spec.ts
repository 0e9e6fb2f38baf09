import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_DELTAS, planFold } from './fold-plan.ts';

/** Runs on top of each other whose records never replace each other: what folds worst. */
function run(checkpoint: number, deltas: readonly number[]): { written: number; most: number; checkpoints: number } {
  let layers = [checkpoint];
  let [written, most, checkpoints] = [0, 1, 0];
  for (const bytes of deltas) {
    const first = planFold(layers);
    const folded = first === null ? 0 : layers.slice(first).reduce((a, b) => a + b);
    written += bytes + folded;
    checkpoints += first === 0 ? 1 : 0;
    layers = first === null ? [...layers, bytes] : [...layers.slice(0, first), folded, bytes];
    most = Math.max(most, layers.length);
  }
  return { written, most, checkpoints };
}

test('400 equal runs over a large disk write their records a few times, in few layers, and no checkpoint', () => {
  const deltas = Array.from({ length: 400 }, () => 1000);
  const { written, most, checkpoints } = run(1e9, deltas);
  expect(written / 400_000).toBeLessThan(8);
  expect(most).toBeLessThan(17);
  expect(checkpoints).toBe(0);
});

test('a checkpoint is written when deltas have come to its size, and not before', () => {
  expect(
    run(
      100_000,
      Array.from({ length: 99 }, () => 1000),
    ).checkpoints,
  ).toBe(0);
  expect(
    run(
      100_000,
      Array.from({ length: 400 }, () => 1000),
    ).checkpoints,
  ).toBeGreaterThan(0);
});

test('whatever runs come to, there are never more layers than a reader takes', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(1000), fc.nat(2 ** 40)), { minLength: 40, maxLength: 200 }), (deltas) => {
      expect(run(2 ** 42, deltas).most).toBeLessThanOrEqual(MAX_DELTAS + 1);
    }),
    { numRuns: 500 },
  );
  const halving = Array.from({ length: 60 }, (_, i) => 2 ** (60 - i));
  expect(run(2 ** 62, halving).most).toBeLessThanOrEqual(MAX_DELTAS + 1);
});
