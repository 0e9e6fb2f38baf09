import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { systemClock } from '../../kernel/clock.ts';
import {
  backup,
  createTestVault,
  MemoryDisk,
  restore,
  sameBytes,
  SMALL_PARAMETERS,
  type TestVault,
} from '../testing/test-vault.ts';
import { mendParameters } from './mend-parameters.ts';

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

async function mend(): Promise<unknown> {
  const { store, keyRing, tenantId, repositoryId } = vault;
  const stranger = { tenantId, repositoryId: randomUUID() };
  await keyRing.createRepositoryKeys({ ...stranger, generation: 0 });
  const candidates = [{ tenantId, repositoryId: randomUUID() }, stranger, { tenantId, repositoryId }];
  return await mendParameters({ store, keyRing, clock: systemClock, parameters: SMALL_PARAMETERS }, candidates);
}

test.each([
  ['lost', () => vault.objects.delete('repo.0')],
  ['no text any more', () => vault.objects.set('repo.0', randomBytes(300))],
  ['changed', () => vault.objects.set('repo.0', Buffer.from(textOf('repo.0').replace('131072', '131073')))],
])('where repo.0 is %s, it comes back as it was, for the repository whose points open', async (_, damage) => {
  const before = textOf('repo.0');
  damage();
  await expect(vault.open()).rejects.toMatchObject({ code: expect.stringMatching(/^VAULT_(CORRUPT|OBJECT_MISSING)$/) });
  expect(await mend()).toEqual({ tenantId: vault.tenantId, repositoryId: vault.repositoryId });
  expect(textOf('repo.0')).toBe(before);
  await using repository = await vault.open((same) => same, 1);
  expect(sameBytes(await restore(repository, pointId, 'xvda'), disk)).toBe(true);
});

test('a whole repo.0 stays, and without a point that opens nothing is written', async () => {
  const before = vault.objects.get('repo.0');
  expect(await mend()).toBeNull();
  expect(vault.objects.get('repo.0')).toBe(before);
  vault.objects.delete('repo.0');
  vault.objects.get(`points/${pointId}`)?.fill(0, 70, 80);
  expect(await mend()).toBeNull();
  expect(vault.objects.has('repo.0')).toBe(false);
});

function textOf(name: string): string {
  return Buffer.from(vault.objects.get(name) ?? new Uint8Array(0)).toString('utf8');
}
