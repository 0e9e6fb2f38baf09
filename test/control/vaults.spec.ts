import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VaultWorkService } from '../../src/control/vaults/vault-work.service.ts';
import { toGlobalId } from '../../src/kernel/global-id.ts';
import { TestApi } from '../support/test-api.ts';
import { House, keyOf, type TestTenant, type UserError } from './house.ts';

const GRANT = `mutation ($input: GrantStorageInput!) { grantStorage(input: $input) {
  storageGrant { id tenantId storageTargetId name quotaBytes revokedAt version } userErrors { code } } }`;
const REVOKE = `mutation ($input: RevokeStorageGrantInput!) { revokeStorageGrant(input: $input) {
  storageGrant { id revokedAt } userErrors { code } } }`;
const CREATE = `mutation ($input: CreateVaultInput!) { createVault(input: $input) {
  vault { id tenantId name storageTargetId storageGrantId state stateCode storedBytes version }
  job { id kind state vaultId } userErrors { code path } } }`;
const RETRY = `mutation ($input: RetryVaultCreationInput!) { retryVaultCreation(input: $input) {
  vault { id name state stateCode version } job { id kind state vaultId } userErrors { code path } } }`;
const RENAME = `mutation ($input: RenameVaultInput!) { renameVault(input: $input) {
  vault { name version } userErrors { code path } } }`;
const BACK_UP = `mutation ($input: BackupVmInput!) { backupVm(input: $input) { job { state } userErrors { code path } } }`;
const ADD_TARGET = `mutation ($input: CreateStorageTargetInput!) { createStorageTarget(input: $input) {
  storageTarget { id name kind path version } userErrors { code path } } }`;
const DROP_TARGET = `mutation ($input: DeleteStorageTargetInput!) { deleteStorageTarget(input: $input) {
  deletedStorageTargetId userErrors { code path } } }`;

interface Created {
  readonly vault: { readonly id: string } & Record<string, unknown>;
  readonly job: { readonly id: string } & Record<string, unknown>;
  readonly userErrors: readonly UserError[];
}

let house: House;
let target: string;
beforeAll(async () => {
  house = await House.build();
  target = await house.addStorageTarget(house.provider);
});
afterAll(async () => {
  await house.stop();
});

async function grantStorage(to: TestTenant, quotaBytes?: string): Promise<string> {
  const given = { tenantId: to.id, storageTargetId: target, name: 'Shelf', quotaBytes };
  const { storageGrant } = await house.mutate<{ storageGrant: { id: string } }>(house.provider.token, GRANT, given);
  return storageGrant.id;
}

async function createVault(owner: TestTenant, input: Record<string, unknown>): Promise<Created> {
  return await house.mutate(owner.token, CREATE, input);
}

/** As the job of a vault's creation ends when its storage is away. */
async function fail(jobId: string): Promise<void> {
  const { tenantId, id } = keyOf(jobId);
  await house.api.sql(`update app.job set state = 'FAILED', finished_at = now() where tenant_id = $1 and id = $2`, [
    tenantId,
    id,
  ]);
  await house.api.sql(
    `update app.vault set state = 'UNAVAILABLE', state_code = 'VAULT_UNREACHABLE'
      where tenant_id = $1 and id = (select vault_id from app.job where id = $2)`,
    [tenantId, id],
  );
}

async function errorOf(token: string, document: string, input: Record<string, unknown>): Promise<unknown> {
  const { body } = await house.api.graphql(token, document, {
    input: { idempotencyKey: JSON.stringify(input), ...input },
  });
  return body.errors?.[0]?.extensions['code'];
}

describe('storage targets', () => {
  it('are directories with absolute paths and names of their own', async () => {
    const { token } = house.provider;
    const input = { name: 'NAS', kind: 'DIRECTORY', path: '/mnt/nas/', idempotencyKey: 'nas' };
    const made = await house.mutate(token, ADD_TARGET, input);
    expect(made).toMatchObject({ storageTarget: { name: 'NAS', kind: 'DIRECTORY', path: '/mnt/nas' }, userErrors: [] });
    const taken = await house.mutate(token, ADD_TARGET, { ...input, name: 'nas', idempotencyKey: 'second' });
    expect(taken).toEqual({ storageTarget: null, userErrors: [{ code: 'NAME_TAKEN', path: ['input', 'name'] }] });
    expect(await errorOf(token, ADD_TARGET, { ...input, name: 'x', path: 'nas', idempotencyKey: 'r' })).toBe(
      'BAD_INPUT',
    );
  });

  it('are the provider’s alone: a folder of the service’s own machines is nobody else’s to name', async () => {
    const input = { name: 'Keys', kind: 'DIRECTORY', path: '/var/lib/holdfast/keys' };
    expect(await errorOf(house.acme.token, ADD_TARGET, input)).toBe('FORBIDDEN');
    const above = { ...input, tenantId: house.acme.id };
    expect(await errorOf(house.provider.token, ADD_TARGET, above)).toBe('FORBIDDEN');
    expect(await house.api.sql(`select from app.storage_target where path like '%keys'`)).toEqual([]);
  });

  it('stay while a vault or a grant refers to them', async () => {
    const mine = await house.addStorageTarget(house.provider);
    await createVault(house.provider, { name: 'On my own', storageTargetId: mine });
    const inUse = {
      deletedStorageTargetId: null,
      userErrors: [{ code: 'STORAGE_IN_USE', path: ['input', 'storageTargetId'] }],
    };
    expect(await house.mutate(house.provider.token, DROP_TARGET, { storageTargetId: mine })).toEqual(inUse);
    await grantStorage(house.zenith);
    expect(await house.mutate(house.provider.token, DROP_TARGET, { storageTargetId: target })).toEqual(inUse);
    const unused = await house.addStorageTarget(house.provider);
    const gone = await house.mutate(house.provider.token, DROP_TARGET, { storageTargetId: unused });
    expect(gone).toEqual({ deletedStorageTargetId: unused, userErrors: [] });
  });
});

describe('storage grants', () => {
  it('name the storage without its path, with a quota', async () => {
    const id = await grantStorage(house.acme, '5000000000000');
    const seen = await house.api.rest(house.acme.token, 'GET', `/v1/storage-grants/${id}`);
    expect(seen.body).toMatchObject({ tenantId: house.acme.id, storageTargetId: target, quotaBytes: '5000000000000' });
    expect(await house.api.rest(house.acme.token, 'GET', `/v1/storage-targets/${target}`)).toMatchObject({
      status: 404,
    });
  });

  it('are written from above only', async () => {
    const id = await grantStorage(house.acme);
    expect(await errorOf(house.acme.token, REVOKE, { storageGrantId: id })).toBe('FORBIDDEN');
    expect(await errorOf(house.zenith.token, REVOKE, { storageGrantId: id })).toBe('NOT_FOUND');
    const { tenantId } = keyOf(house.zenith.id);
    const [own] = await house.api.sql<{ id: string }>(
      `insert into app.storage_target (tenant_id, name, kind, path) values ($1, 'Own', 'DIRECTORY', '/srv/own') returning id`,
      [tenantId],
    );
    const storageTargetId = toGlobalId('StorageTarget', tenantId, own?.id ?? '');
    const sideways = { tenantId: house.acme.id, storageTargetId, name: 'x' };
    expect(await errorOf(house.provider.token, GRANT, sideways)).toBe('NOT_FOUND');
  });
});

describe('a storage target on the machine that answers', () => {
  let here: TestApi;
  let folder: string;
  beforeAll(async () => {
    here = await TestApi.start({ storageIsHere: true });
    folder = await mkdtemp(join(tmpdir(), 'holdfast-storage-'));
    await writeFile(join(folder, 'file'), '');
  });
  afterAll(async () => {
    await here.stop();
    await rm(folder, { recursive: true });
  });

  async function add(path: string): Promise<unknown> {
    const input = { name: path, kind: 'DIRECTORY', path, idempotencyKey: path };
    return (await here.graphql(here.administrator.token, ADD_TARGET, { input })).body.data?.['createStorageTarget'];
  }

  it('is a folder that is there', async () => {
    expect(await add(folder)).toMatchObject({ storageTarget: { path: folder }, userErrors: [] });
    const refused = {
      storageTarget: null,
      userErrors: [{ code: 'STORAGE_PATH_UNUSABLE', path: ['input', 'path'] }],
    };
    expect(await add(join(folder, 'missing'))).toEqual(refused);
    expect(await add(join(folder, 'file'))).toEqual(refused);
    const rest = await here.rest(here.administrator.token, 'POST', '/v1/storage-targets', {
      body: { name: 'gone', kind: 'DIRECTORY', path: join(folder, 'missing') },
      headers: { 'idempotency-key': 'gone' },
    });
    expect(rest).toMatchObject({ status: 400, body: { detail: `The folder ${folder}/missing does not exist.` } });
  });

  it('is there for a repeated request also when its folder has gone', async () => {
    const passing = join(folder, 'passing');
    await mkdir(passing);
    const first = await add(passing);
    await rm(passing, { recursive: true });
    expect(await add(passing)).toEqual(first);
  });
});

describe('vaults', () => {
  it('are made by a job, once for one key', async () => {
    const storageGrantId = await grantStorage(house.acme);
    const input = { name: 'Main', storageGrantId, idempotencyKey: 'main' };
    const first = await createVault(house.acme, input);
    expect(first).toEqual({
      vault: {
        id: expect.stringMatching(/^vlt_/),
        tenantId: house.acme.id,
        name: 'Main',
        storageTargetId: null,
        storageGrantId,
        state: 'CREATING',
        stateCode: null,
        storedBytes: '0',
        version: 1,
      },
      job: { id: expect.stringMatching(/^job_/), kind: 'VAULT_CREATION', state: 'QUEUED', vaultId: first.vault.id },
      userErrors: [],
    });
    expect(await createVault(house.acme, input)).toEqual(first);
    const taken = await createVault(house.acme, { ...input, name: 'MAIN', idempotencyKey: 'second' });
    expect(taken).toEqual({ vault: null, job: null, userErrors: [{ code: 'NAME_TAKEN', path: ['input', 'name'] }] });
  });

  it('stand on exactly one storage of their own tenant', async () => {
    const storageGrantId = await grantStorage(house.acme);
    expect(await errorOf(house.acme.token, CREATE, { name: 'None' })).toBe('BAD_INPUT');
    const both = { name: 'Both', storageGrantId, storageTargetId: target };
    expect(await errorOf(house.acme.token, CREATE, both)).toBe('BAD_INPUT');
    expect(await errorOf(house.acme.token, CREATE, { name: 'Theirs', storageTargetId: target })).toBe('NOT_FOUND');
    expect(await errorOf(house.zenith.token, CREATE, { name: 'Stolen', storageGrantId })).toBe('NOT_FOUND');
    const across = { tenantId: house.zenith.id, name: 'Across', storageGrantId };
    expect(await errorOf(house.provider.token, CREATE, across)).toBe('NOT_FOUND');
  });

  it('lose their storage when the grant is revoked, and new ones are refused', async () => {
    const storageGrantId = await grantStorage(house.acme);
    const { vault } = await createVault(house.acme, { name: 'Short-lived', storageGrantId });
    expect(await house.openVault(house.acme, vault.id)).toBe(`/srv/backups/${keyOf(vault.id).id}`);
    await house.mutate(house.provider.token, REVOKE, { storageGrantId });
    await expect(house.openVault(house.acme, vault.id)).rejects.toMatchObject({ code: 'NO_STORAGE_GRANT' });
    const late = await createVault(house.acme, { name: 'Late', storageGrantId });
    expect(late).toMatchObject({
      vault: null,
      userErrors: [{ code: 'NO_STORAGE_GRANT', path: ['input', 'storageGrantId'] }],
    });
  });

  it('say what state they are in, and tell each change once', async () => {
    const { vault } = await createVault(house.acme, {
      name: 'Told',
      storageGrantId: await grantStorage(house.acme),
    });
    const { tenantId, id } = keyOf(vault.id);
    await house.worker.as(VaultWorkService, tenantId, async (vaults) => {
      await vaults.markVaultReady({ tenantId, vaultId: id });
      await vaults.markVaultReady({ tenantId, vaultId: id });
      await vaults.markVaultFailed({ tenantId, vaultId: id }, 'VAULT_READ_ONLY', 'The folder can not be written.');
    });
    const seen = await house.api.rest(house.acme.token, 'GET', `/v1/vaults/${vault.id}`);
    expect(seen.body).toMatchObject({ state: 'UNAVAILABLE', stateCode: 'VAULT_READ_ONLY', version: 1 });
    const told = await house.api.sql<{ type: string }>(
      `select type from app.event where subject_id = $1 and subject_type = 'Vault' order by id`,
      [id],
    );
    expect(told.map(({ type }) => type)).toEqual(['vault.created', 'vault.ready', 'vault.unavailable']);
  });

  it('are made again after their creation failed, under the same name and at the same place', async () => {
    const { vault, job } = await createVault(house.acme, {
      name: 'Stubborn',
      storageGrantId: await grantStorage(house.acme),
      idempotencyKey: 'stubborn',
    });
    const { tenantId, id } = keyOf(vault.id);
    const running = await house.mutate<Created>(house.acme.token, RETRY, { vaultId: vault.id });
    const refused = { code: 'VAULT_CREATION_NOT_FAILED', path: ['input', 'vaultId'] };
    expect(running).toEqual({ vault: null, job: null, userErrors: [refused] });
    await fail(job.id);
    const retry = { vaultId: vault.id, idempotencyKey: 'again' };
    const again = await house.mutate<Created>(house.acme.token, RETRY, retry);
    expect(again).toMatchObject({
      vault: { id: vault.id, name: 'Stubborn', state: 'CREATING', stateCode: null, version: 2 },
      job: { kind: 'VAULT_CREATION', state: 'QUEUED', vaultId: vault.id },
    });
    expect(again.job.id).not.toBe(job.id);
    expect(await house.mutate<Created>(house.acme.token, RETRY, retry)).toEqual(again);
    const repeated = await createVault(house.acme, {
      name: 'Stubborn',
      storageGrantId: vault['storageGrantId'],
      idempotencyKey: 'stubborn',
    });
    expect(repeated.job.id).toBe(job.id);
    await fail(again.job.id);
    const rest = await house.api.rest(house.acme.token, 'POST', `/v1/vaults/${vault.id}/retry`, {
      headers: { 'idempotency-key': 'third', 'if-match': '"2"' },
    });
    expect(rest).toMatchObject({ status: 202, body: { vault: { state: 'CREATING', version: 3 } } });
    await house.endJobs(house.acme);
    await house.worker.as(
      VaultWorkService,
      tenantId,
      async (vaults) => await vaults.markVaultReady({ tenantId, vaultId: id }),
    );
    expect(await house.mutate(house.acme.token, RETRY, { vaultId: vault.id })).toMatchObject({ userErrors: [refused] });
  });

  it('are not made again on storage that was taken back', async () => {
    const storageGrantId = await grantStorage(house.acme);
    const { vault, job } = await createVault(house.acme, { name: 'Taken back', storageGrantId });
    await fail(job.id);
    await house.mutate(house.provider.token, REVOKE, { storageGrantId });
    expect(await house.mutate(house.acme.token, RETRY, { vaultId: vault.id })).toEqual({
      vault: null,
      job: null,
      userErrors: [{ code: 'NO_STORAGE_GRANT', path: ['input', 'vaultId'] }],
    });
  });

  it('take no backup once the quota of their storage is reached', async () => {
    const storageGrantId = await grantStorage(house.acme, '1000');
    const { vault } = await createVault(house.acme, { name: 'Small', storageGrantId });
    const other = await createVault(house.acme, { name: 'Beside it', storageGrantId });
    const [vmId] = (await house.poolVms(house.acme, await house.addPool(house.acme, 'Second'))).map(
      (guest) => guest.vmId,
    );
    const setStored = async (id: string, bytes: number): Promise<void> => {
      await house.api.sql(`update app.vault set state = 'READY', stored_bytes = $2 where id = $1`, [
        keyOf(id).id,
        bytes,
      ]);
    };
    await setStored(other.vault.id, 600);
    await setStored(vault.id, 400);
    const full = await house.mutate(house.acme.token, BACK_UP, { vmId, vaultId: vault.id });
    expect(full).toEqual({ job: null, userErrors: [{ code: 'STORAGE_QUOTA_REACHED', path: ['input', 'vaultId'] }] });
    await setStored(vault.id, 399);
    const roomy = await house.mutate(house.acme.token, BACK_UP, { vmId, vaultId: vault.id });
    expect(roomy).toMatchObject({ job: { state: 'QUEUED' }, userErrors: [] });
  });

  it('are renamed in the version that was read', async () => {
    const { vault } = await createVault(house.acme, {
      name: 'Old',
      storageGrantId: await grantStorage(house.acme),
    });
    const renamed = await house.mutate(house.acme.token, RENAME, {
      vaultId: vault.id,
      name: 'New',
      expectedVersion: 1,
    });
    expect(renamed).toEqual({ vault: { name: 'New', version: 2 }, userErrors: [] });
    const late = await house.mutate(house.acme.token, RENAME, { vaultId: vault.id, name: 'Newer', expectedVersion: 1 });
    expect(late).toMatchObject({ vault: null, userErrors: [{ code: 'VERSION_CONFLICT' }] });
  });
});
