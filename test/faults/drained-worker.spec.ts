import { afterAll, beforeAll, expect, it } from 'vitest';
import { NOTHING } from './simulator-control.ts';
import { Stage } from './stage.ts';

const MIB = 1024 * 1024;
let stage: Stage;

beforeAll(async () => {
  stage = await Stage.start({ withoutWorker: true });
});
afterAll(async () => {
  await stage.stop();
});

it('hands a backup on to the next worker when it is told to stop', async () => {
  const { simulator } = stage;
  const first = await stage.startWorker();
  const vm = await simulator.makeVm('alpha', [64 * MIB]);
  const alpha = await stage.addPool('alpha');
  const { vaultId } = await stage.addVault();
  const vmId = await stage.vmId(vm.uuid, alpha);
  await simulator.post('/faults', { match: { kind: 'nbd-read' }, times: 0, action: { delayMs: 500 } });
  const job = await stage.startJob('backupVm', { vmId, vaultId });
  await stage.jobWhen(job, ({ progress }) => progress?.phase === 'disks');
  await first.close();
  expect((await stage.job(job.id)).state).toBe('RUNNING');
  await simulator.clearFaults();
  await stage.startWorker();
  expect(await stage.ended(job)).toMatchObject({ state: 'SUCCEEDED', error: null, warnings: [] });
  expect(await simulator.leftovers('alpha')).toEqual(NOTHING);
}, 180_000);
