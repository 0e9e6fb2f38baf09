import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../kernel/bytes.ts';
import { beginKeyGeneration } from './begin-key-generation.ts';
import { decodeHeader } from './format/header.ts';
import { uuidToObjectId } from './format/ids.ts';
import { deriveParametersKey, deriveSecrets } from './keys/key-schedule.ts';
import { encodeDirectory, sealMetaPack } from './manifest/seal-meta-pack.ts';
import { encodeRecords } from './manifest/segment-record.ts';
import { encodeRepositoryFile, type RepositoryFile } from './repository-parameters.ts';
import { FailingStore } from './testing/failing-store.ts';
import {
  backup,
  createTestVault,
  MemoryDisk,
  restore,
  sameBytes,
  SMALL_PARAMETERS,
  type TestVault,
} from './testing/test-vault.ts';
import type { Repository } from './repository.ts';

const data = new Uint8Array(randomBytes(300 * KIB));

let vault: TestVault;
let repository: Repository;

beforeEach(async () => {
  vault = await createTestVault();
  repository = await vault.open();
});

afterEach(async () => {
  await repository[Symbol.asyncDispose]();
  await vault[Symbol.asyncDispose]();
});

const names = (): string[] => [...vault.objects.keys()].filter((name) => !name.startsWith('repo.'));
const generation = (name: string): number =>
  decodeHeader(vault.objects.get(name) ?? new Uint8Array(0), name).generation;
const rotate = (): Promise<number> => beginKeyGeneration(vault);

async function backUp(of: Repository, disk: Uint8Array): Promise<string> {
  return (await backup(of, { disks: { xvda: new MemoryDisk(disk) } })).summary.pointId;
}

test('after a rotation new objects have the new key, old ones are as they were, and chunks are still shared', async () => {
  const first = await backUp(repository, data);
  const before = new Map(vault.objects);
  expect(await rotate()).toBe(1);

  const changed = data.slice();
  changed.set(randomBytes(20 * KIB), 64 * KIB);
  const result = await backup(repository, { disks: { xvda: new MemoryDisk(changed) } });
  const written = names().filter((name) => !before.has(name));
  expect(written.some((name) => name.startsWith('data/'))).toBe(true);
  expect(new Set(written.map(generation))).toEqual(new Set([1]));
  expect(result.disks[0]?.chunksNew).toBeLessThan((result.disks[0]?.chunksRead ?? 0) / 2);
  before.forEach((object, name) => expect(vault.objects.get(name)).toBe(object));

  await using fresh = await vault.open();
  for (const reader of [repository, fresh]) {
    expect(sameBytes(await restore(reader, first, 'xvda'), data)).toBe(true);
    expect(sameBytes(await restore(reader, result.summary.pointId, 'xvda'), changed)).toBe(true);
  }
  expect(await fresh.verify({ level: 2 })).toMatchObject({ damagedObjects: [] });
});

test('a repository that was open before a rotation reads what others wrote after it', async () => {
  await rotate();
  await rotate();
  await using other = await vault.open();
  const pointId = await backUp(other, data);
  expect(generation(`points/${pointId}`)).toBe(2);
  expect(sameBytes(await restore(repository, pointId, 'xvda'), data)).toBe(true);
});

test('a rotation that was interrupted is finished by the next one', async () => {
  for (const failure of ['before', 'after'] as const) {
    const store = new FailingStore(vault.store, 1, failure);
    await expect(beginKeyGeneration({ ...vault, store })).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });
  }
  // The first stopped short of `repo.1`, the second finished that one; only its answer was lost.
  expect(vault.objects.has('repo.1')).toBe(true);
  expect(await rotate()).toBe(2);
});

test('two rotations at once leave generations that open', async () => {
  await Promise.all([rotate(), rotate(), rotate()]);
  const pointId = await backUp(repository, data);
  await using fresh = await vault.open();
  expect(sameBytes(await restore(fresh, pointId, 'xvda'), data)).toBe(true);
});

test('a store that hides the newest generation does not bring the old key back', async () => {
  await rotate();
  vault.objects.delete('repo.1');
  await using fresh = await vault.open();
  expect(generation(`points/${await backUp(fresh, data)}`)).toBe(1);
});

test('a later generation of a format of the future is refused', async () => {
  await rotate();
  const genuine = vault.objects.get('repo.1') ?? new Uint8Array(0);
  const later = Buffer.from(Buffer.from(genuine).toString('utf8').replace('"format":1', '"format":2'));
  const { tenantId, repositoryId, keyRing } = vault;
  const keys = await keyRing.getRepositoryKeys({ tenantId, repositoryId, generation: 1 });
  const parametersKey = deriveParametersKey(keys, uuidToObjectId(repositoryId, 'repository'));
  const file = JSON.parse(later.toString('utf8').split('\n')[0] ?? '') as RepositoryFile;
  vault.objects.set('repo.1', encodeRepositoryFile(file, parametersKey));
  await expect(vault.open()).rejects.toMatchObject({ code: 'VAULT_FORMAT_UNKNOWN' });
});

test('an object of a generation that nobody made is damaged, and named', async () => {
  const pointId = await backUp(repository, data);
  vault.objects.get(`points/${pointId}`)?.set([9], 12);
  await expect(repository.readPoint(pointId)).rejects.toMatchObject({
    code: 'VAULT_CORRUPT',
    data: { object: `points/${pointId}` },
  });
});

test('who has a key of before a rotation can put no other manifest in the place of one that was written after it', async () => {
  const { tenantId, repositoryId, keyRing } = vault;
  const stolen = await keyRing.getRepositoryKeys({ tenantId, repositoryId, generation: 0 });
  const before = new Set(names());
  await rotate();
  const pointId = await backUp(repository, data);
  const [name = ''] = names().filter((name) => name.startsWith('meta/') && !before.has(name));
  const blocks = SMALL_PARAMETERS.segmentBytes / SMALL_PARAMETERS.blockBytes;
  const records = Array.from({ length: Math.ceil(data.length / SMALL_PARAMETERS.segmentBytes) }, (_, segment) => {
    const end = Math.min(blocks, Math.ceil(data.length / SMALL_PARAMETERS.blockBytes) - segment * blocks);
    return { segment, runs: [{ start: 0, end, entries: [{ blocks: end, chunk: null }] }] };
  });
  const secrets = deriveSecrets(stolen, uuidToObjectId(repositoryId, 'repository'), 0);
  const id = name.slice(name.lastIndexOf('/') + 1);
  const forged = sealMetaPack(id, [encodeRecords(records), encodeDirectory([0])], secrets);
  vault.objects.set(name, forged.data);

  await using fresh = await vault.open();
  await expect(restore(fresh, pointId, 'xvda')).rejects.toMatchObject({
    code: 'VAULT_CORRUPT',
    data: { object: name },
  });
  for (const level of [0, 1, 2] as const) {
    expect(await fresh.verify({ level })).toMatchObject({ damagedObjects: [{ name, problem: 'changed' }] });
  }
  await fresh.repair({ index: 'damaged' });
  await expect(restore(fresh, pointId, 'xvda')).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
});
