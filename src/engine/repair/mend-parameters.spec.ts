import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import {
  backup,
  createTestVault,
  MemoryDisk,
  restore,
  sameBytes,
  SMALL_PARAMETERS,
  type TestVault,
} from '../testing/test-vault.ts';
import { beginKeyGeneration } from '../begin-key-generation.ts';
import { deriveParametersKey } from '../keys/key-schedule.ts';
import { encodeRepositoryFile, type RepositoryFile } from '../repository-parameters.ts';
import { mendParameters, type MendCandidate } from './mend-parameters.ts';

const disk = new Uint8Array(randomBytes(200 * KIB));

let vault: TestVault;
let pointId: string;

beforeEach(async () => {
  vault = await createTestVault();
  await using repository = await vault.open((same) => same, 1);
  pointId = (await backup(repository, { disks: { xvda: new MemoryDisk(disk) } })).summary.pointId;
});

afterEach(async () => {
  await vault[Symbol.asyncDispose]();
});

async function mend(...more: MendCandidate[]): Promise<unknown> {
  const { store, keyRing, tenantId, repositoryId } = vault;
  const stranger = { tenantId, repositoryId: randomUUID(), keyRing };
  await keyRing.createRepositoryKeys({ ...stranger, generation: 0 });
  const unknown = { tenantId, repositoryId: randomUUID(), keyRing };
  const candidates = [...more, unknown, stranger, { tenantId, repositoryId, keyRing }];
  const mended = await mendParameters({ store, parameters: SMALL_PARAMETERS }, candidates);
  return mended?.repositoryId;
}

/** Another tenant's vault, of which a genuine restore point was put into this one. */
async function withStrangersPoint<T>(work: (stranger: TestVault) => Promise<T>): Promise<T> {
  await using other = await createTestVault();
  await using repository = await other.open((same) => same, 1);
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(disk) } });
  const name = `points/${summary.pointId}`;
  vault.objects.set(name, other.objects.get(name) ?? new Uint8Array(0));
  return await work(other);
}

test.each([
  ['lost', () => vault.objects.delete('repo.0')],
  ['no text any more', () => vault.objects.set('repo.0', randomBytes(300))],
  ['changed', () => vault.objects.set('repo.0', Buffer.from(textOf('repo.0').replace('131072', '131073')))],
])('where repo.0 is %s, it comes back as it was, for the repository whose points open', async (_, damage) => {
  const before = textOf('repo.0');
  damage();
  await expect(vault.open()).rejects.toMatchObject({ code: expect.stringMatching(/^VAULT_(CORRUPT|OBJECT_MISSING)$/) });
  expect(await mend()).toBe(vault.repositoryId);
  expect(textOf('repo.0')).toBe(before);
  await using repository = await vault.open((same) => same, 1);
  expect(sameBytes(await restore(repository, pointId, 'xvda'), disk)).toBe(true);
});

test('a whole repo.0 stays, and without a point that opens nothing is written', async () => {
  const before = vault.objects.get('repo.0');
  expect(await mend()).toBeUndefined();
  expect(vault.objects.get('repo.0')).toBe(before);
  vault.objects.delete('repo.0');
  vault.objects.get(`points/${pointId}`)?.fill(0, 70, 80);
  expect(await mend()).toBeUndefined();
  expect(vault.objects.has('repo.0')).toBe(false);
});

test('a whole repo.0 stays whosever points were put beside its own', async () => {
  const before = textOf('repo.0');
  await withStrangersPoint(async (stranger) => {
    expect(await mend(stranger)).toBeUndefined();
  });
  expect(textOf('repo.0')).toBe(before);
});

test('where points are of two repositories, none of them is taken for the vault’s own', async () => {
  await withStrangersPoint(async (stranger) => {
    vault.objects.delete('repo.0');
    const refused = { code: 'VAULT_CORRUPT', message: expect.stringContaining(stranger.repositoryId) };
    await expect(mend(stranger)).rejects.toMatchObject(refused);
    await expect(mend(stranger)).rejects.toThrow(vault.repositoryId);
  });
  expect(vault.objects.has('repo.0')).toBe(false);
  expect(await mend()).toBe(vault.repositoryId);
});

test('where points are of a later generation of the key, they still say whose they are', async () => {
  await beginKeyGeneration(vault);
  vault.objects.delete(`points/${pointId}`);
  {
    await using repository = await vault.open((same) => same, 1);
    await backup(repository, { disks: { xvda: new MemoryDisk(disk) } });
  }
  vault.objects.delete('repo.0');
  await withStrangersPoint(async (stranger) => {
    await expect(mend(stranger)).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
  });
  expect(await mend()).toBe(vault.repositoryId);
});

test('a repo.0 that names a repository whose keys are not here stays', async () => {
  const before = textOf('repo.0');
  await withStrangersPoint(async (stranger) => {
    const mended = mendParameters({ store: vault.store }, [stranger]);
    await expect(mended).rejects.toMatchObject({ hint: expect.stringContaining(vault.repositoryId) });
  });
  expect(textOf('repo.0')).toBe(before);
});

test('a repo.0 of a later format that its keys sign is no damage', async () => {
  const { keyRing, tenantId, repositoryId } = vault;
  const keys = await keyRing.getRepositoryKeys({ tenantId, repositoryId, generation: 0 });
  const file = { ...(JSON.parse(textOf('repo.0').split('\n')[0] ?? '') as RepositoryFile), format: 2 };
  const key = deriveParametersKey(keys, repositoryId.replaceAll('-', ''));
  vault.objects.set('repo.0', encodeRepositoryFile(file, key));
  expect(await mend()).toBeUndefined();
  expect(textOf('repo.0')).toContain('"format":2');
});

function textOf(name: string): string {
  return Buffer.from(vault.objects.get(name) ?? new Uint8Array(0)).toString('utf8');
}
