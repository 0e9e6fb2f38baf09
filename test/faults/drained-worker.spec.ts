import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectNothingLeft } from '../../src/xen/spec-leftovers.ts';
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
  const { vmId, vaultId } = await stage.protectVm(await stage.addPool('alpha'), [64 * MIB]);
  const reads = await simulator.hold({ kind: 'nbd-read' });
  const job = await stage.startJob('backupVm', { vmId, vaultId });
  await reads.reached();
  await first.close();
  expect((await stage.job(job.id)).state).toBe('RUNNING');
  await reads.letGo();
  await stage.startWorker();
  expect(await stage.ended(job)).toMatchObject({ state: 'SUCCEEDED', error: null, warnings: [] });
  await expectNothingLeft(simulator, 'alpha');
});
