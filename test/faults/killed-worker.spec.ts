import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startProgram, type Program } from '../support/program.ts';
import { expectNothingLeft } from '../../src/xen/spec-leftovers.ts';
import { Stage } from './stage.ts';

const MIB = 1024 * 1024;
const SIZE = 256 * MIB;
/** The read of at most 512 KiB at which three quarters of the disk are read. */
const HELD_FROM = (SIZE * 3) / 4 / (MIB / 2);
/** Packs that one lane or two have surely filled by then: the first are small. */
const SETTLED_PACKS = 4;
/** A segment that lies across two packs, of each lane, counts for nothing while the second isn't settled. */
const CUT_SEGMENTS = 2 * 32 * MIB;

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.start({ withoutWorker: true });
});
afterAll(async () => {
  await stage.stop();
});

async function startWorkerProcess(): Promise<Program<unknown>> {
  const { databaseUrl, temporal, keysFolder } = stage.workerOptions;
  const worker = await startProgram({
    script: 'dist/src/main/worker.js',
    env: {
      HOLDFAST_DATA: join(stage.folder, 'data'),
      HOLDFAST_KEYS: keysFolder,
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
      HOLDFAST_TASK_QUEUE_PREFIX: temporal.taskQueuePrefix,
      HOLDFAST_RECONCILE_EVERY: '1s',
      HOLDFAST_SHUTDOWN_GRACE: '2s',
    },
  });
  stage.onStop(async () => await worker.stop('SIGKILL'));
  return worker;
}

/** Data packs by name, with their sizes. */
async function packs(folder: string): Promise<ReadonlyMap<string, number>> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => /\/data\/[0-9a-f]{2}\/[^/]+$/.test(name));
  const sized = names.map(async (name) => [name, (await stat(join(folder, name))).size] as const);
  return new Map(await Promise.all(sized));
}

function sum(values: Iterable<number>): number {
  return [...values].reduce((total, value) => total + value, 0);
}

async function bytesRead(since = 0): Promise<number> {
  return sum((await stage.simulator.log('nbd-read', since)).map(({ length }) => length));
}

it('goes on where a killed worker was: no pack twice, no more read again than was in flight', async () => {
  const { simulator } = stage;
  const first = await startWorkerProcess();
  const alpha = await stage.addPool('alpha');
  const { vaultId, folder } = await stage.addVault();
  const vm = await simulator.makeVm({ disks: [{ sizeBytes: SIZE }] });
  await simulator.write(vm.disks[0]?.uuid ?? '', 0, SIZE, 'nothing that repeats');
  const vmId = await stage.vmId(vm.uuid, alpha);

  const reads = await simulator.hold({ kind: 'nbd-read' }, HELD_FROM);
  const job = await stage.startJob('backupVm', { vmId, vaultId });
  await reads.reached();
  await expect.poll(async () => (await packs(folder)).size).toBeGreaterThanOrEqual(SETTLED_PACKS);
  await first.stop('SIGKILL');
  const settled = await packs(folder);
  const readByFirst = await bytesRead();
  await reads.letGo();
  await expect.poll(async () => (await simulator.leftovers('alpha')).nbdConnections).toBe(0);

  const before = await simulator.lastSeq();
  await startWorkerProcess();
  expect(await stage.ended(job)).toMatchObject({ state: 'SUCCEEDED', error: null, warnings: [] });
  const read = readByFirst + (await bytesRead(before));
  expect(read).toBeGreaterThanOrEqual(SIZE);
  expect(read).toBeLessThanOrEqual(SIZE + readByFirst - sum(settled.values()) + CUT_SEGMENTS);
  const written = await packs(folder);
  expect([...settled].filter(([name, size]) => written.get(name) !== size)).toEqual([]);
  expect(sum(written.values())).toBeLessThan(SIZE * 1.02);
  await expectNothingLeft(simulator, 'alpha');
});
