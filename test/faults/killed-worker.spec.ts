import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startProgram, type Program } from '../support/program.ts';
import { NOTHING } from './simulator-control.ts';
import { Stage } from './stage.ts';

const MIB = 1024 * 1024;
const SIZE = 256 * MIB;
/** What isn't settled yet when a writer dies: the pack being filled and the segments on their way to it. */
const IN_FLIGHT = 64 * MIB + 2 * 32 * MIB;

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

it('goes on where a killed worker was: no pack twice, no more read again than was in flight', async () => {
  const { simulator } = stage;
  const first = await startWorkerProcess();
  const alpha = await stage.addPool('alpha');
  const { vaultId, folder } = await stage.addVault();
  const vm = await simulator.post<{ uuid: string; disks: readonly { uuid: string }[] }>('/vms', {
    pool: 'alpha',
    name: 'large',
    disks: [{ sizeBytes: SIZE }],
  });
  await simulator.write(vm.disks[0]?.uuid ?? '', 0, SIZE, 'nothing that repeats');
  const vmId = await stage.vmId(vm.uuid, alpha);

  const before = await simulator.lastSeq();
  await simulator.post('/faults', { match: { kind: 'nbd-read' }, times: 0, action: { delayMs: 60 } });
  const job = await stage.startJob('backupVm', { vmId, vaultId });
  await stage.jobWhen(job, ({ progress }) => Number(progress?.bytesDone ?? 0) >= SIZE / 2);
  await first.stop('SIGKILL');
  const settled = await packs(folder);
  await simulator.clearFaults();

  await startWorkerProcess();
  expect(await stage.ended(job)).toMatchObject({ state: 'SUCCEEDED', error: null, warnings: [] });
  const read = sum((await simulator.log('nbd-read', before)).map(({ length }) => length));
  expect(read).toBeGreaterThanOrEqual(SIZE);
  expect(read).toBeLessThanOrEqual(SIZE + IN_FLIGHT);
  const written = await packs(folder);
  expect(settled.size).toBeGreaterThan(0);
  expect([...settled].filter(([name, size]) => written.get(name) !== size)).toEqual([]);
  expect(sum(written.values())).toBeLessThan(SIZE * 1.02);
  expect(await simulator.leftovers('alpha')).toEqual(NOTHING);
}, 180_000);
