import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  backup,
  createTestVault,
  MemoryDisk,
  noise,
  restore,
  sameBytes,
  SMALL_PARAMETERS,
  type TestVault,
} from './testing/test-vault.ts';
import type { Repository } from './repository.ts';
import { LanePool } from './worker/lane-pool.ts';

const { segmentBytes } = SMALL_PARAMETERS;
const SEGMENTS = 12;
const LANES = 2;

let vault: TestVault;
let repository: Repository;

beforeEach(async () => {
  vault = await createTestVault();
  repository = await vault.open(undefined, LANES);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await repository[Symbol.asyncDispose]();
  await vault[Symbol.asyncDispose]();
});

/** What lies below a place passes, the rest waits until the gate is opened further. */
class Gate {
  #closedFrom: number;
  #open = Promise.withResolvers<void>();
  readonly #waiting = new Set<number>();

  constructor(closedFrom: number) {
    this.#closedFrom = closedFrom;
  }

  /** In how many segments somebody waits. */
  get waiting(): number {
    return this.#waiting.size;
  }

  async pass(offset: number): Promise<void> {
    while (offset >= this.#closedFrom) {
      const segment = Math.floor(offset / segmentBytes);
      this.#waiting.add(segment);
      await this.#open.promise;
      this.#waiting.delete(segment);
    }
  }

  openUpTo(offset: number): void {
    this.#closedFrom = offset;
    this.#open.resolve();
    this.#open = Promise.withResolvers();
  }
}

class GatedDisk extends MemoryDisk {
  readonly gate = new Gate(2 * segmentBytes);

  override async read(offset: number, into: Uint8Array): Promise<void> {
    await this.gate.pass(offset);
    await super.read(offset, into);
  }
}

/**
 * Three backups that find both lanes taken, when as much waits at the gate as can. Whoever has the lanes comes to the last
 * two segments, but not beyond, before each of the three has had a lane.
 */
async function backUpMeanwhile(gate: Gate, most: number): Promise<void> {
  await expect.poll(() => gate.waiting).toBe(most);
  const acquire = vi.spyOn(LanePool.prototype, 'acquire');
  const waiting = (): number => acquire.mock.settledResults.filter(({ type }) => type === 'incomplete').length;
  const others = Array.from({ length: 3 }, () => new MemoryDisk(noise(2 * segmentBytes)));
  const rest = Promise.all(others.map((disk) => backup(repository, { disks: { xvda: disk } })));
  await expect.poll(waiting).toBe(others.length);
  gate.openUpTo((SEGMENTS - 2) * segmentBytes);
  await expect.poll(waiting, { timeout: 30_000 }).toBe(0);
  gate.openUpTo(Infinity);
  await rest;
}

test('a disk that gives its lanes to others is still written to its end', async () => {
  const base = noise(SEGMENTS * segmentBytes);
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(base) } });
  const first = new GatedDisk(noise(SEGMENTS * segmentBytes));
  const changed = [{ offset: 0, length: first.data.length }];
  const writing = backup(repository, { disks: { xvda: first }, base: { pointId: summary.pointId, changed } });
  await backUpMeanwhile(first.gate, first.concurrency);
  const written = await writing;
  expect(sameBytes(await restore(repository, written.summary.pointId, 'xvda'), first.data)).toBe(true);
});

test('a restore that gives its lanes to others still restores everything', async () => {
  const data = noise(SEGMENTS * segmentBytes);
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
  const restored = new Uint8Array(data.length);
  const gate = new Gate(0);
  const restoring = repository.restoreDisk({
    pointId: summary.pointId,
    diskKey: 'xvda',
    sink: {
      concurrency: 4,
      write: async (offset, piece) => {
        await gate.pass(offset);
        restored.set(piece, offset);
      },
    },
  });
  await backUpMeanwhile(gate, LANES);
  const result = await restoring;
  expect(result.bytesWritten + result.bytesHoles).toBe(data.length);
  expect(sameBytes(restored, data)).toBe(true);
});
