import { afterAll, beforeAll, expect, it } from 'vitest';
import { startOwnPostgres, type OwnPostgres } from '../support/own-postgres.ts';
import { expectNothingLeft } from '../../src/xen/spec-leftovers.ts';
import { Stage } from './stage.ts';

const MIB = 1024 * 1024;
let postgres: OwnPostgres;
let stage: Stage;

beforeAll(async () => {
  postgres = await startOwnPostgres();
  stage = await Stage.start({ databaseUrl: postgres.url });
});
afterAll(async () => {
  await stage.stop();
  await postgres.stop();
});

it('finishes a backup although PostgreSQL was restarted while its disks were read', async () => {
  const { simulator } = stage;
  const { vmId, vaultId } = await stage.protectVm(await stage.addPool('alpha'), [32 * MIB, 16 * MIB]);
  const reads = await simulator.hold({ kind: 'nbd-read' });
  const job = await stage.startJob('backupVm', { vmId, vaultId });
  await reads.reached();
  await postgres.restart();
  await reads.letGo();
  expect(await stage.ended(job)).toMatchObject({ state: 'SUCCEEDED', error: null });
  await expectNothingLeft(simulator, 'alpha');
  const { restorePoints } = await stage.data<{ restorePoints: { edges: readonly unknown[] } }>(
    '{ restorePoints(first: 10) { edges { node { id } } } }',
  );
  expect(restorePoints.edges).toHaveLength(1);
});
