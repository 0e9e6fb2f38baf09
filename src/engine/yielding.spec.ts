import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  backup,
  createTestVault,
  MemoryDisk,
  restore,
  sameBytes,
  SMALL_PARAMETERS,
  type TestVault,
} from './testing/test-vault.ts';
import type { Repository } from './types.ts';

const { segmentBytes } = SMALL_PARAMETERS;
const SEGMENTS = 12;

let vault: TestVault;
let repository: Repository;

beforeEach(async () => {
  vault = await createTestVault();
  repository = await vault.open(undefined, 2);
});

afterEach(async () => {
  await repository[Symbol.asyncDispose]();
  await vault[Symbol.asyncDispose]();
});

function noise(bytes: number): Uint8Array {
  return new Uint8Array(randomBytes(bytes));
}

/** Delivers two segments; then everybody waits for the gate, so that all lanes go on at the same moment. */
class GatedDisk extends MemoryDisk {
  readonly gate = Promise.withResolvers<void>();
  readonly underWay = Promise.withResolvers<void>();
  #asked = 0;

  override async read(offset: number, into: Uint8Array): Promise<void> {
    this.#asked += into.length;
    if (this.#asked > 2 * segmentBytes) {
      this.underWay.resolve();
      await this.gate.promise;
    }
    await super.read(offset, into);
  }
}

test('a disk that gives its lanes to others is still written to its end', async () => {
  const base = noise(SEGMENTS * segmentBytes);
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(base) } });
  const first = new GatedDisk(noise(SEGMENTS * segmentBytes));
  const changed = [{ offset: 0, length: first.data.length }];
  const writing = backup(repository, { disks: { xvda: first }, base: { pointId: summary.pointId, changed } });
  await first.underWay.promise;
  await delay(50);
  const others = Array.from({ length: 3 }, () => noise(2 * segmentBytes));
  const rest = Promise.all(others.map((data) => backup(repository, { disks: { xvda: new MemoryDisk(data) } })));
  await delay(50);
  first.gate.resolve();
  await rest;
  const written = await writing;
  expect(sameBytes(await restore(repository, written.summary.pointId, 'xvda'), first.data)).toBe(true);
}, 60_000);

test('a restore that gives its lanes to others still restores everything', async () => {
  const data = noise(SEGMENTS * segmentBytes);
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
  const underWay = Promise.withResolvers<void>();
  const restored = new Uint8Array(data.length);
  let pieces = 0;
  const restoring = repository.restoreDisk({
    pointId: summary.pointId,
    diskKey: 'xvda',
    sink: {
      concurrency: 4,
      write: async (offset, piece) => {
        await delay(20);
        restored.set(piece, offset);
        pieces += 1;
        if (pieces === 3) {
          underWay.resolve();
        }
      },
    },
  });
  await underWay.promise;
  const others = Array.from({ length: 3 }, () => noise(segmentBytes));
  await Promise.all(others.map((other) => backup(repository, { disks: { xvda: new MemoryDisk(other) } })));
  const result = await restoring;
  expect(result.bytesWritten + result.bytesHoles).toBe(data.length);
  expect(sameBytes(restored, data)).toBe(true);
}, 60_000);
