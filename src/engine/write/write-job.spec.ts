import { randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import { CondemnedLog } from '../collect/condemned-log.ts';
import { DiskGeometry } from '../disk-geometry.ts';
import { newObjectId, type ObjectId } from '../format/ids.ts';
import { ChunkIndex } from '../index/chunk-index.ts';
import { PAGE_WORDS } from '../index/filter-memory.ts';
import { KeyGenerations } from '../keys/key-generations.ts';
import { deriveSecrets } from '../keys/key-schedule.ts';
import { FileKeyRing } from '../keys/file-key-ring.ts';
import { ManifestWriter } from '../manifest/manifest-writer.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { ChunkReader } from '../restore/chunk-reader.ts';
import { PackTables } from '../restore/pack-tables.ts';
import { MemoryLeases } from '../sessions/memory-leases.ts';
import { MemoryStore } from '../testing/memory-store.ts';
import { SMALL_PARAMETERS } from '../testing/test-vault.ts';
import { LanePool } from '../worker/lane-pool.ts';
import { OWN_PACK, type NewPack, type SegmentDone } from '../worker/protocol.ts';
import { WriteJournal } from './journal.ts';
import { LayerSpill } from './layer-spill.ts';
import { WriteJob } from './write-job.ts';

const BYTES = { repositoryKey: randomBytes(32), dedupSecret: randomBytes(32), keyId: 'key' };

function makeContext(store: MemoryStore): RepositoryContext {
  const repositoryId = randomUUID();
  const ids = { tenantId: randomUUID(), repositoryId };
  const secrets = deriveSecrets(BYTES, repositoryId.replaceAll('-', ''), 0);
  const condemned = new CondemnedLog(store, secrets, systemClock);
  const tables = new PackTables(store, secrets, condemned);
  const index = new ChunkIndex({ store, secrets, condemned, tables });
  return {
    repositoryId,
    store,
    clock: systemClock,
    leases: new MemoryLeases(systemClock),
    secrets,
    generations: new KeyGenerations(new FileKeyRing('/'), ids, secrets),
    parameters: SMALL_PARAMETERS,
    condemned,
    index,
    chunks: new ChunkReader(store, secrets, tables, condemned, index),
    lanes: new LanePool(2, secrets, SMALL_PARAMETERS),
  };
}

/** A segment's first two blocks, in a pack of this write. */
function cutInto({ number }: NewPack): SegmentDone {
  const chunks = Int32Array.of(2, OWN_PACK + number, 0);
  const runs = [{ start: 0, end: 2, chunks, digests: new Uint8Array(16) }];
  return { runs, packs: [], open: null, chunksRead: 1, chunksNew: 1 };
}

function rethrow(error: unknown): never {
  throw error;
}

/** A write of a disk of 64 segments. */
async function openJob(store: MemoryStore, fail: (error: unknown) => void = rethrow) {
  const context = makeContext(store);
  const { secrets } = context;
  const journal = new WriteJournal(store, secrets, randomUUID(), 'a write');
  const { signal } = new AbortController();
  const resume = await journal.load();
  const segments = Array.from({ length: 64 }, (_, segment) => segment);
  const spill = new LayerSpill(new ManifestWriter(store, secrets, 'a write'), segments, resume.settled, signal);
  const job = new WriteJob(
    context,
    { journal, resume, spill },
    { expectedBytes: 2 ** 23, expectedChunks: 64, signal, fail },
  );
  return { context, journal, job, signal };
}

test('a record never counts without its packs, whichever entries of the journal were lost', async () => {
  const store = new MemoryStore();
  const { context, journal, job } = await openJob(store);
  const geometry = new DiskGeometry(64 * SMALL_PARAMETERS.segmentBytes, SMALL_PARAMETERS);

  const [open, other] = [await job.nextPack(), await job.nextPack()];
  // The segment is not cut to its end, and meanwhile another worker's pack is stored.
  const own = new Set<ObjectId>();
  const runs = job.toRuns(cutInto(open), own);
  job.packSealed({ ...other, bytes: 64, digests: new Uint8Array(16) });
  await job.settleUploads();
  const [early = ''] = [...store.objects.keys()].filter((name) => name.startsWith('sessions/'));
  for (let segment = 0; segment < geometry.segmentCount; segment += 1) {
    const named = segment === 0 ? own : new Set<ObjectId>();
    await job.addRecord({ segment, runs: segment === 0 ? runs : job.toRuns(cutInto(other), named) }, named);
  }
  expect((await journal.load()).settled.has(0)).toBe(false);
  expect((await journal.load()).settled.has(1)).toBe(true);

  store.objects.delete(early);
  expect((await journal.load()).settled.has(0)).toBe(false);
  job.releaseBuffers();
  await context.lanes.stop();
});

test('what was published is adopted by nobody', async () => {
  const store = new MemoryStore();
  const { context, journal, job } = await openJob(store);
  const pack = await job.nextPack();
  job.packSealed({ ...pack, bytes: 64, digests: new Uint8Array(randomBytes(16)) });
  await job.settleUploads();
  expect((await journal.load()).unpublished).toEqual([pack.id]);
  await job.finishIndex();
  expect((await journal.load()).unpublished).toEqual([]);
  job.releaseBuffers();
  await context.lanes.stop();
});

test('memory is there again of packs that were stored, that could not be, and that never came back', async () => {
  const store = new MemoryStore();
  const failures: unknown[] = [];
  const { context, job, signal } = await openJob(store, (error) => failures.push(error));
  const { buffers } = context.lanes;
  const { packBytes } = SMALL_PARAMETERS;
  const stored = await job.nextPack();
  job.packSealed({ ...stored, bytes: 64, digests: new Uint8Array(16) });
  await job.settleUploads();
  const [refused] = [await job.nextPack(), await job.nextPack()];
  store.putIfAbsent = () => Promise.reject(new Error('the store is gone'));
  job.packSealed({ ...refused, bytes: 64, digests: new Uint8Array(16) });
  await job.settleUploads();
  expect(failures).toHaveLength(1);
  job.releaseBuffers();

  const all = [await buffers.acquire(packBytes, signal), await buffers.acquire(packBytes, signal)];
  const controller = new AbortController();
  const more = buffers.acquire(1, controller.signal);
  controller.abort();
  await expect(more).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(all).toHaveLength(2);
  await context.lanes.stop();
});

test('a task has the filters that it began with until it ends, though their segments are merged away', async () => {
  const { context, job, signal } = await openJob(new MemoryStore());
  const { index } = context;
  const publish = async (): Promise<void> => {
    await index.publish([{ id: newObjectId(), digests: randomBytes(16) }]);
  };
  const lane = await context.lanes.acquire(signal);
  await publish();
  for (const isHeld of [true, false]) {
    const { tables } = job.beginTask(lane, null);
    const [filter] = tables?.filters ?? [];
    const page = filter?.slabs[0]?.subarray((filter.pages[0] ?? 0) * PAGE_WORDS).subarray(0, filter.blocks * 16);
    const before = page?.slice();
    expect(before?.some((word) => word !== 0)).toBe(true);
    if (!isHeld) {
      job.endTask(lane);
    }
    for (let i = 0; i < 12; i += 1) {
      await publish();
    }
    expect(page?.every((word, i) => word === before?.[i])).toBe(isHeld);
    job.endTask(lane);
  }
  context.lanes.release(lane);
  await context.lanes.stop();
});
