import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createRepository,
  DirectoryStore,
  FileKeyRing,
  MemoryLeases,
  openRepository,
  type BlockSource,
  type ByteRange,
  type DiskResult,
  type Repository,
} from '../../src/engine/index.ts';
import { KIB, MIB } from '../../src/kernel/bytes.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { toBenchRow, type BenchRow } from './bench-row.ts';
import { measurePrimitives, type PrimitiveCosts } from './engine-bound.ts';
import { numbersFrom, writeImage } from './engine-image.ts';

export interface EngineBenchOptions {
  readonly imageBytes?: number;
  readonly runs?: number;
  /** Where images and vaults are made; a folder below the system's temporary one if absent. */
  readonly folder?: string;
}

const CHANGED_SHARE = 100;
const CHANGE_BYTES = 64 * KIB;
/** What two workers may take, whatever the disk's size. */
const MEMORY_CEILING_MB = 450;

interface RunTimes {
  readonly full: number;
  readonly incremental: number;
  readonly restore: number;
  readonly incrementalRead: number;
  readonly peakBytes: number;
}

/** Full, incremental and restore throughput of the engine from a file, as shares of what the primitives allow. */
export async function engineBench(options: EngineBenchOptions = {}): Promise<readonly BenchRow[]> {
  const { imageBytes = 1024 * MIB, runs = 3 } = options;
  const folder = await mkdtemp(join(options.folder ?? tmpdir(), 'holdfast-bench-'));
  try {
    const image = join(folder, 'image');
    await writeImage(image, imageBytes, 1);
    const times: RunTimes[] = [];
    const costs: PrimitiveCosts[] = [];
    for (let run = 0; run < runs; run += 1) {
      costs.push(await measurePrimitives(image, folder));
      times.push(await runOnce(folder, image, imageBytes, run));
    }
    return toRows(times, costs, imageBytes);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the machine could do if nothing but the primitives took time, and all cores were busy with them. */
function toRows(times: readonly RunTimes[], costs: readonly PrimitiveCosts[], imageBytes: number): BenchRow[] {
  const cores = availableParallelism();
  const writeBounds = costs.map((c) => cores / (c.read + c.blockHash + c.digest + c.compress + c.seal + c.write) / 1e6);
  const readBounds = costs.map((c) => cores / (c.seal + c.decompress + c.digest) / 1e6);
  const rate = (name: string, runs: readonly number[], bounds: readonly number[]): BenchRow =>
    toBenchRow({ name, unit: 'MB/s', runs }, 'bound', bounds);
  const full = times.map((t) => imageBytes / t.full / 1e6);
  const incremental = times.map((t) => t.incrementalRead / t.incremental / 1e6);
  const restore = times.map((t) => imageBytes / t.restore / 1e6);
  const memory = { name: 'engine: memory of the whole process at a full backup', unit: 'MB' };
  return [
    rate('engine: full backup from a file', full, writeBounds),
    rate('engine: incremental, 1 % in pieces of 64 KiB, of what it reads', incremental, writeBounds),
    rate('engine: restore to a sink', restore, readBounds),
    toBenchRow({ ...memory, runs: times.map((t) => t.peakBytes / 1e6) }, 'bound', [MEMORY_CEILING_MB]),
  ];
}

async function runOnce(folder: string, image: string, imageBytes: number, run: number): Promise<RunTimes> {
  const storeFolder = join(folder, `store-${run}`);
  await mkdir(storeFolder);
  const ids = { tenantId: randomUUID(), repositoryId: randomUUID() };
  const keyRing = new FileKeyRing(join(folder, `keys-${run}`));
  const common = { ...ids, store: new DirectoryStore(storeFolder), keyRing, clock: systemClock };
  await createRepository(common);
  const workers = availableParallelism();
  await using repository = await openRepository({ ...common, leases: new MemoryLeases(systemClock), workers });
  const file = await open(image, 'r+');
  try {
    const first = await backup(repository, file, imageBytes);
    const peakBytes = process.resourceUsage().maxRSS * KIB;
    const changed = await changeImage(file, imageBytes, run + 2);
    const second = await backup(repository, file, imageBytes, { pointId: first.pointId, changed });
    const restored = await timeRestore(repository, second.pointId);
    const { seconds, result } = second;
    return {
      full: first.seconds,
      incremental: seconds,
      restore: restored,
      incrementalRead: result.bytesRead,
      peakBytes,
    };
  } finally {
    await file.close();
    await rm(storeFolder, { recursive: true });
  }
}

async function backup(
  repository: Repository,
  file: FileHandle,
  sizeBytes: number,
  base?: { readonly pointId: string; readonly changed: readonly ByteRange[] },
): Promise<{ seconds: number; pointId: string; result: DiskResult }> {
  const source: BlockSource = {
    concurrency: 4,
    read: async (offset, into) => {
      await file.read(into, 0, into.length, offset);
    },
  };
  const sessionId = randomUUID();
  const pointId = randomUUID();
  const start = performance.now();
  const pins = base === undefined ? [] : [base.pointId];
  await repository.beginSession({ sessionId, pointId, purpose: 'backup', pins });
  const from = base === undefined ? {} : { base: { pointId: base.pointId, diskKey: 'disk' }, changed: base.changed };
  const result = await repository.writeDisk({ sessionId, diskKey: 'disk', sizeBytes, source, ...from });
  const config = new Uint8Array(0);
  await repository.commitPoint({ sessionId, pointId, vmId: 'vm', takenAt: 0, disks: [result], config, info: {} });
  await repository.endSession(sessionId);
  return { seconds: (performance.now() - start) / 1000, pointId, result };
}

async function changeImage(file: FileHandle, sizeBytes: number, seed: number): Promise<ByteRange[]> {
  const next = numbersFrom(seed * 7919);
  const pieces = sizeBytes / CHANGE_BYTES;
  const data = Buffer.alloc(CHANGE_BYTES);
  const changed: ByteRange[] = [];
  for (let i = 0; i < pieces / CHANGED_SHARE; i += 1) {
    const offset = next(pieces) * CHANGE_BYTES;
    for (let at = 0; at < CHANGE_BYTES; at += 4) {
      data.writeUInt32LE(next(2 ** 32), at);
    }
    await file.write(data, 0, CHANGE_BYTES, offset);
    changed.push({ offset, length: CHANGE_BYTES });
  }
  return changed;
}

async function timeRestore(repository: Repository, pointId: string): Promise<number> {
  const start = performance.now();
  await repository.restoreDisk({ pointId, diskKey: 'disk', sink: { concurrency: 4, write: async () => {} } });
  return (performance.now() - start) / 1000;
}

if (import.meta.main) {
  console.table(await engineBench());
}
