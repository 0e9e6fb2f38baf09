import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AppError } from '../../kernel/errors.ts';
import { ChunkIndex } from '../index/chunk-index.ts';
import {
  backup,
  createTestVault,
  MemoryDisk,
  noise,
  restore,
  sameBytes,
  SMALL_PARAMETERS,
  type TestVault,
} from '../testing/test-vault.ts';
import type { BlockSource, ByteRange } from '../ports/block-io.ts';
import type { Repository } from '../repository.ts';

const { segmentBytes, blockBytes } = SMALL_PARAMETERS;
const SIZE_BYTES = 2 * segmentBytes;

const WENT_WELL = {
  failed: { status: 'rejected', reason: { message: 'the disk went away' } },
  readEarly: false,
  isSame: true,
};

let vault: TestVault;
let repository: Repository;

beforeEach(async () => {
  vault = await createTestVault();
  repository = await vault.open(undefined, 1);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await repository[Symbol.asyncDispose]();
  await vault[Symbol.asyncDispose]();
});

/** Reads below a place are under way when one past it fails, and write to their memory only when they are let. */
class HalfLostDisk implements BlockSource {
  readonly concurrency = 4;
  readonly #from: number;
  readonly #reading = Promise.withResolvers<void>();
  readonly #gate = Promise.withResolvers<void>();
  readonly #ended: Promise<void>[] = [];

  constructor(from: number) {
    this.#from = from;
  }

  get reading(): Promise<void> {
    return this.#reading.promise;
  }

  /** Returns when the late reads have ended. */
  async letGo(): Promise<void> {
    this.#gate.resolve();
    await Promise.all(this.#ended);
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    if (offset >= this.#from) {
      await this.reading;
      throw new Error('the disk went away');
    }
    this.#reading.resolve();
    const late = this.#gate.promise.then(() => void into.fill(0xff));
    this.#ended.push(late);
    await late;
  }
}

/** As soon as it is read from, what the other disk still reads arrives, after what this one gives. */
class NextDisk extends MemoryDisk {
  readonly other: HalfLostDisk;
  isEarly = true;
  readEarly = false;

  constructor(data: Uint8Array, other: HalfLostDisk) {
    super(data);
    this.other = other;
  }

  override async read(offset: number, into: Uint8Array): Promise<void> {
    this.readEarly ||= this.isEarly;
    await super.read(offset, into);
    await this.other.letGo();
  }
}

interface Changes {
  readonly base: { readonly pointId: string; readonly diskKey: string };
  readonly changed: readonly ByteRange[];
}

interface Outcome {
  readonly failed: PromiseSettledResult<unknown>;
  /** Whether the next disk was read before the first one's reads had ended, and is as it was. */
  readonly readEarly: boolean;
  readonly isSame: boolean;
}

/** The next disk is written when the other write has failed, and not let go of its memory yet. */
async function writeTwo(disk: HalfLostDisk, changes?: Changes): Promise<Outcome> {
  const sessionId = randomUUID();
  const pins = changes === undefined ? [] : [changes.base.pointId];
  await repository.beginSession({ sessionId, pointId: randomUUID(), purpose: 'backup', pins });
  const request = { sessionId, diskKey: 'xvda', sizeBytes: SIZE_BYTES, source: disk, sampleBytes: 0, ...changes };
  const failing = Promise.allSettled([repository.writeDisk(request)]);
  await disk.reading;
  const next = new NextDisk(noise(4 * segmentBytes), disk);
  const other = backup(repository, { disks: { xvdb: next } });
  // Long enough for a lane that is free to be taken.
  await new Promise((resolve) => setTimeout(resolve, 200));
  next.isEarly = false;
  await disk.letGo();
  const [failed] = await failing;
  const { summary } = await other;
  const restored = await restore(repository, summary.pointId, 'xvdb');
  return { failed, readEarly: next.readEarly, isSame: sameBytes(restored, next.data) };
}

test('nobody is given a lane while another of its segments is still read into it', async () => {
  expect(await writeTwo(new HalfLostDisk(segmentBytes))).toMatchObject(WENT_WELL);
});

test('nobody is given a lane while another window of the segment is still read into it', async () => {
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(noise(SIZE_BYTES)) } });
  const changed = [0, segmentBytes - blockBytes].map((offset) => ({ offset, length: blockBytes }));
  const base = { pointId: summary.pointId, diskKey: 'xvda' };
  expect(await writeTwo(new HalfLostDisk(segmentBytes / 2), { base, changed })).toMatchObject(WENT_WELL);
});

test('a write that is ended from outside ends for that reason', async () => {
  const controller = new AbortController();
  const sessionId = randomUUID();
  await repository.beginSession({ sessionId, pointId: randomUUID(), purpose: 'backup', pins: [] });
  const reason = new AppError('SESSION_FENCED', 'The session was fenced.');
  const source = {
    concurrency: 1,
    read: async () => {
      controller.abort(reason);
      throw new Error('no more reads');
    },
  };
  const request = { sessionId, diskKey: 'xvda', sizeBytes: SIZE_BYTES, source, signal: controller.signal };
  await expect(repository.writeDisk(request)).rejects.toBe(reason);
});

test('tasks that fail in their worker give the filters back that they were given', async () => {
  const xvda = new MemoryDisk(noise(SIZE_BYTES));
  await backup(repository, { disks: { xvda } });
  const held = vi.spyOn(ChunkIndex.prototype, 'holdFilters').mock;
  const released = vi.spyOn(ChunkIndex.prototype, 'releaseFilters').mock;
  vi.spyOn(ChunkIndex.prototype, 'lookUp').mockRejectedValue(new Error('the index is gone'));
  await expect(backup(repository, { disks: { xvda } })).rejects.toThrow('the index is gone');
  const versions = held.results.map(({ value }) => (value as { readonly version: number }).version);
  expect(versions.length).toBeGreaterThan(1);
  const ascending = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);
  expect(ascending(released.calls.map(([version]) => version))).toEqual(ascending(versions));
});
