import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobRunService } from '../../src/control/jobs/job-run.service.ts';
import { VaultWorkService } from '../../src/control/vaults/vault-work.service.ts';
import { toGlobalId } from '../../src/kernel/global-id.ts';
import { House, keyOf, type TestTenant } from './house.ts';

const ASSIGN = `mutation ($input: AssignVmInput!) { assignVm(input: $input) { vm { id } userErrors { code } } }`;
const GRANT = `mutation ($input: GrantStorageInput!) { grantStorage(input: $input) {
  storageGrant { id } userErrors { code } } }`;
const CREATE = `mutation ($input: CreateVaultInput!) { createVault(input: $input) { vault { id } userErrors { code } } }`;
const TOLD = [
  'Log-in at https://10.0.0.5 failed; NBD at 10.0.0.5:10809: reset; tried 192.0.2.77:443 and [2001:db8::7]:443.',
  'Could not write in the vault at /srv/backups/one/two: EACCES.',
];
const SHOWN = [
  'Log-in at the shared pool failed; NBD at the shared pool: reset; tried the shared pool and the shared pool.',
  'Could not write in the vault at the shared storage: EACCES.',
];

let house: House;
let poolId: string;
beforeAll(async () => {
  house = await House.build();
  poolId = await house.addPool(house.provider);
});
afterAll(async () => {
  await house.stop();
});

async function vaultUnderGrant(owner: TestTenant): Promise<string> {
  const { provider } = house;
  const storageTargetId = await house.addStorageTarget(provider);
  const { storageGrant } = await house.mutate<{ storageGrant: { id: string } }>(provider.token, GRANT, {
    tenantId: owner.id,
    storageTargetId,
    name: 'Shelf',
  });
  const given = { name: 'Vault', storageGrantId: storageGrant.id };
  const { vault } = await house.mutate<{ vault: { id: string } }>(owner.token, CREATE, given);
  return vault.id;
}

/** A backup that ends as its worker says. */
async function failedJob(owner: TestTenant, vmId: string, vaultId: string | null): Promise<unknown> {
  const { tenantId } = keyOf(owner.id);
  const [row] = await house.api.sql<{ id: string }>(
    `insert into app.job (tenant_id, kind, vm_id, vault_id, input, actor_tenant_id, actor)
     values ($1, 'BACKUP', $2, $3, '{}', $1, 'token:x') returning id`,
    [tenantId, keyOf(vmId).id, vaultId === null ? null : keyOf(vaultId).id],
  );
  const jobId = row?.id ?? '';
  const [message = '', warning = ''] = TOLD;
  await house.worker.as(JobRunService, tenantId, async (jobs) => {
    await jobs.beginJob({ tenantId, jobId, kind: 'BACKUP', runId: 'run' });
    const failure = { code: 'POOL_UNREACHABLE', message, hint: message };
    const outcome = { state: 'FAILED', failure, warnings: [warning] } as const;
    await jobs.finishJob({ tenantId, jobId, runId: 'run', outcome });
  });
  return (await house.api.rest(owner.token, 'GET', `/v1/jobs/${toGlobalId('Job', tenantId, jobId)}`)).body;
}

describe('a failure in somebody else’s pool or storage', () => {
  it('tells its tenant neither addresses nor paths', async () => {
    const [guest] = await house.poolVms(house.provider, poolId);
    const { vm } = await house.mutate<{ vm: { id: string } }>(house.provider.token, ASSIGN, {
      poolVmId: guest?.id,
      tenantId: house.acme.id,
    });
    const job = await failedJob(house.acme, vm.id, await vaultUnderGrant(house.acme));
    const error = { code: 'POOL_UNREACHABLE', message: SHOWN[0], hint: SHOWN[0] };
    expect(job).toMatchObject({ state: 'FAILED', error, warnings: [SHOWN[1]] });
  });

  it('is not told on the vault either', async () => {
    const vaultId = await vaultUnderGrant(house.zenith);
    const { tenantId, id } = keyOf(vaultId);
    await house.worker.as(VaultWorkService, tenantId, async (vaults) => {
      await vaults.markVaultFailed({ tenantId, vaultId: id }, 'VAULT_READ_ONLY', TOLD[1] ?? '');
    });
    const { body } = await house.api.rest(house.zenith.token, 'GET', `/v1/vaults/${vaultId}`);
    expect(body).toMatchObject({ stateCode: 'VAULT_READ_ONLY', stateDetail: SHOWN[1] });
  });

  it('tells everything to the owner', async () => {
    const guest = (await house.poolVms(house.provider, poolId)).find(
      ({ assignedTenantId }) => assignedTenantId === house.provider.id,
    );
    const job = await failedJob(house.provider, guest?.vmId ?? '', null);
    expect(job).toMatchObject({ error: { message: TOLD[0] }, warnings: [TOLD[1]] });
  });
});
