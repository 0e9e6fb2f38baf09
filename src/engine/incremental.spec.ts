import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MAX_DELTAS } from './manifest/fold-plan.ts';
import { applyStep, diskHistory, firstDisk, longHistory } from './testing/disk-arbitrary.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes, type TestVault } from './testing/test-vault.ts';
import type { Repository } from './repository.ts';

let vault: TestVault;
let repository: Repository;

beforeAll(async () => {
  vault = await createTestVault();
  repository = await vault.open();
});

afterAll(async () => {
  await repository[Symbol.asyncDispose]();
  await vault[Symbol.asyncDispose]();
});

test('every point of a changing, growing, shrinking disk restores byte for byte, and full runs find nothing new', async () => {
  await fc.assert(
    fc.asyncProperty(
      diskHistory,
      fc.constantFrom('source' as const, 'vault' as const),
      async (history, unchangedFrom) => {
        let data = firstDisk(history);
        let { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
        const points = [{ pointId: summary.pointId, data }];
        for (const step of history.steps) {
          const { after, changed } = applyStep(data, step);
          const base = { pointId: summary.pointId, changed };
          ({ summary } = await backup(repository, { disks: { xvda: new MemoryDisk(after) }, base, unchangedFrom }));
          points.push({ pointId: summary.pointId, data: after });
          data = after;
        }
        for (const point of points) {
          expect(sameBytes(await restore(repository, point.pointId, 'xvda'), point.data)).toBe(true);
        }
        const { disks } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
        expect(disks[0]?.chunksNew).toBe(0);
      },
    ),
    { numRuns: 60 },
  );
});

test('layers that are folded say what all of them said, for points before and after', async () => {
  let folded = 0;
  await fc.assert(
    fc.asyncProperty(longHistory, async (history) => {
      let data = firstDisk(history);
      let { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
      const points = [{ pointId: summary.pointId, data }];
      for (const step of history.steps) {
        const { after, changed } = applyStep(data, step);
        const base = { pointId: summary.pointId, changed };
        const run = await backup(repository, { disks: { xvda: new MemoryDisk(after) }, base });
        const layers = run.disks[0]?.manifest.layers ?? [];
        folded += layers.length <= points.length ? 1 : 0;
        expect(layers.length).toBeLessThanOrEqual(MAX_DELTAS + 1);
        summary = run.summary;
        points.push({ pointId: summary.pointId, data: after });
        data = after;
      }
      for (const point of points) {
        expect(sameBytes(await restore(repository, point.pointId, 'xvda'), point.data)).toBe(true);
      }
    }),
    { numRuns: 8 },
  );
  expect(folded).toBeGreaterThan(0);
});

test('with the rest taken from the vault, an incremental reads what changed and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(diskHistory, async (history) => {
      const data = firstDisk(history);
      const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
      const [step = { changes: [], resize: null }] = history.steps;
      const { after, changed } = applyStep(data, { ...step, resize: null });
      const disk = new MemoryDisk(after);
      const base = { pointId: summary.pointId, changed };
      const { disks } = await backup(repository, { disks: { xvda: disk }, base, unchangedFrom: 'vault' });
      expect(disk.bytesRead).toBe(disks[0]?.bytesRead);
      expect(disk.bytesRead).toBe(disks[0]?.bytesChanged);
    }),
    { numRuns: 30 },
  );
});

test('a disk that shrank within a block is cut as a whole one is, its rest taken from the vault', async () => {
  const BLOCK = 4096;
  const after = 41 * BLOCK - 1000;
  // The more disks, the more surely some have a chunk that begins before what is dirty and goes on past the new end.
  for (let run = 0; run < 12; run += 1) {
    const data = new Uint8Array(randomBytes(96 * BLOCK));
    const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
    const shrunk = data.slice(0, after).fill(0, 40 * BLOCK);
    const base = { pointId: summary.pointId, changed: [] };
    await backup(repository, { disks: { xvda: new MemoryDisk(shrunk) }, base, unchangedFrom: 'vault' });
    const whole = await backup(repository, { disks: { xvda: new MemoryDisk(shrunk) } });
    expect(whole.disks[0]?.chunksNew).toBe(0);
    expect(sameBytes(await restore(repository, whole.summary.pointId, 'xvda'), shrunk)).toBe(true);
  }
});
