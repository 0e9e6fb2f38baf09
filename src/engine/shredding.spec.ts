import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../kernel/bytes.ts';
import { systemClock } from '../kernel/clock.ts';
import { toAppError } from '../kernel/errors.ts';
import { beginKeyGeneration } from './begin-key-generation.ts';
import { createRepository } from './create-repository.ts';
import { decodeHeader } from './format/header.ts';
import { decodeFooter } from './format/sealed-object.ts';
import { verifyDestructionStatement } from './keys/destruction-statement.ts';
import { FileKeyRing } from './keys/file-key-ring.ts';
import { findTenantOf } from './keys/find-tenant.ts';
import { deriveObjectKeys, deriveObjectRoot } from './keys/key-schedule.ts';
import { unwrapKey } from './keys/wrap.ts';
import { openRepository } from './open-repository.ts';
import { MemoryLeases } from './sessions/memory-leases.ts';
import { CutKeyFiles, PowerCut } from './testing/cut-key-files.ts';
import { MemoryStore } from './testing/memory-store.ts';
import { backup, MemoryDisk, SMALL_PARAMETERS } from './testing/test-vault.ts';
import type { OpenRepositoryOptions } from './repository-options.ts';

/** 31 January 2026, noon. */
const DESTROYED_AT = 1_769_860_800_000;
const clock = { ...systemClock, now: () => DESTROYED_AT };

let folder: string;
let keyRing: FileKeyRing;
let store: MemoryStore;
let options: OpenRepositoryOptions;
let pointId: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-shred-'));
  keyRing = new FileKeyRing(folder, { clock });
  store = new MemoryStore();
  const ids = { tenantId: randomUUID(), repositoryId: randomUUID() };
  options = { ...ids, store, keyRing, clock, leases: new MemoryLeases(clock), workers: 1 };
  await createRepository({ ...options, parameters: SMALL_PARAMETERS });
  await beginKeyGeneration(options);
  await using repository = await openRepository(options);
  ({ pointId } = (await backup(repository, { disks: { xvda: new MemoryDisk(randomBytes(50 * KIB)) } })).summary);
});

afterEach(() => rm(folder, { recursive: true }));

async function filesLeft(): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(paths.map(async (path) => [path.slice(folder.length + 1), await readFile(path)] as const)),
  );
}

/** Every 32 bytes in a row, as they stand and as what text may stand for. */
function candidates(content: Buffer): Buffer[] {
  const words = content.toString('latin1').match(/[\w+/=]{43,}/g) ?? [];
  const decoded = words.flatMap((word) => [Buffer.from(word, 'hex'), Buffer.from(word, 'base64')]);
  return [content, ...decoded].flatMap((bytes) =>
    Array.from({ length: Math.max(0, bytes.length - 31) }, (_, i) => bytes.subarray(i, i + 32)),
  );
}

/** Everything that can be got out of the key folder: what stands there, and what that unwraps, and what that unwraps. */
function keysWithin(files: ReadonlyMap<string, Buffer>): Buffer[] {
  const keys = [...files.values()].flatMap(candidates);
  for (let i = 0; i < keys.length; i += 1) {
    for (const [name, stored] of files) {
      try {
        keys.push(Buffer.from(unwrapKey(keys[i] ?? Buffer.alloc(32), stored, `holdfast key 1 ${name}`)));
      } catch {
        // Not this key, or not a wrapped one.
      }
    }
  }
  return keys;
}

/** How many of the store's objects open with one of the keys, taken as a root or as a repository key. */
function opened(keys: readonly Buffer[], names: readonly string[]): number {
  const repositoryId = options.repositoryId.replaceAll('-', '');
  const none = { keyId: '', dedupSecret: new Uint8Array(0) };
  const roots = keys.flatMap((key) => [key, deriveObjectRoot({ ...none, repositoryKey: key }, repositoryId)]);
  return names.filter((name) => {
    const data = store.objects.get(name) ?? new Uint8Array(0);
    const header = decodeHeader(data, name);
    const { commitment } = decodeFooter(data, data.length, name);
    return roots.some((root) => Buffer.compare(deriveObjectKeys(root, header).commitment, commitment) === 0);
  }).length;
}

test('after the keys were destroyed nothing that is left opens anything, and everybody is told when and what', async () => {
  const names = [...store.objects.keys()].filter((name) => !name.startsWith('repo.'));
  expect(opened(keysWithin(await filesLeft()), names)).toBe(names.length);

  const statement = await keyRing.destroyTenantKeys(options.tenantId);
  const left = await filesLeft();
  const { tenantId } = options;
  expect([...left.keys()].toSorted()).toEqual(
    [`${tenantId}/destroyed`, `${tenantId}/destroyed.statement`, 'signing-key'].toSorted(),
  );
  expect(opened(keysWithin(left), [`points/${pointId}`])).toBe(0);

  const destroyed = {
    code: 'KEY_DESTROYED',
    message: `The keys of tenant ${tenantId} were destroyed on 2026-01-31T12:00:00.000Z: 5 keys, of 1 repositories.`,
    data: { repositories: [options.repositoryId], destroyedAt: '2026-01-31T12:00:00.000Z' },
  };
  await expect(openRepository(options)).rejects.toMatchObject(destroyed);
  await expect(beginKeyGeneration(options)).rejects.toMatchObject(destroyed);
  await expect(keyRing.createRepositoryKeys({ ...options, generation: 5 })).rejects.toMatchObject(destroyed);
  await expect(keyRing.rotateMasterKey(tenantId)).rejects.toMatchObject(destroyed);
  await expect(keyRing.rotateKeyEncryptionKey(tenantId)).rejects.toMatchObject(destroyed);
  expect(await findTenantOf(folder, options.repositoryId)).toBe(tenantId);
  expect((await filesLeft()).size).toBe(3);
  expect(statement).toMatchObject({ tenantId, destroyedAt: DESTROYED_AT, repositories: [options.repositoryId] });
  expect(statement.keys.map(({ name }) => name)).toContain(`${tenantId}/kek`);
});

test('a key-encryption key that a writer who was killed left aside is destroyed too', async () => {
  const { tenantId } = options;
  const kek = await readFile(join(folder, tenantId, 'kek'));
  await link(join(folder, tenantId, 'kek'), join(folder, '.aside', '0'.repeat(32)));
  await keyRing.destroyTenantKeys(tenantId);
  for (const content of (await filesLeft()).values()) {
    expect(content.includes(kek)).toBe(false);
  }
});

test('the statement of destruction is signed, the same each time, and of no other key', async () => {
  const statement = await keyRing.destroyTenantKeys(options.tenantId);
  const again = await new FileKeyRing(folder).destroyTenantKeys(options.tenantId);
  expect(again).toEqual(statement);
  expect(verifyDestructionStatement(statement)).toBe(true);
  expect(verifyDestructionStatement({ ...statement, destroyedAt: DESTROYED_AT + 1 })).toBe(false);
  expect(verifyDestructionStatement({ ...statement, repositories: [] })).toBe(false);
  expect(verifyDestructionStatement({ ...statement, keys: statement.keys.slice(1) })).toBe(false);

  const other = randomUUID();
  await keyRing.createRepositoryKeys({ ...options, tenantId: other, generation: 0 });
  const second = await keyRing.destroyTenantKeys(other);
  expect(second.publicKey).toBe(statement.publicKey);
  await rm(join(folder, 'signing-key'));
  const third = randomUUID();
  await keyRing.createRepositoryKeys({ ...options, tenantId: third, generation: 0 });
  const forged = await keyRing.destroyTenantKeys(third);
  expect(verifyDestructionStatement(forged)).toBe(true);
  expect(verifyDestructionStatement(forged, statement.publicKey)).toBe(false);
});

test('a tenant without keys has none to destroy', async () => {
  await expect(keyRing.destroyTenantKeys(randomUUID())).rejects.toMatchObject({ code: 'KEY_MISSING' });
});

test('a destruction that was interrupted keeps every key or gives none out, and is finished by the next', async () => {
  const { tenantId } = options;
  const id = { ...options, generation: 1 };
  const keys = await keyRing.getRepositoryKeys(id);
  const before = await filesLeft();
  const whole = new CutKeyFiles(before);
  await new FileKeyRing('', { files: whole, clock }).destroyTenantKeys(tenantId);
  const outcomes = new Set<unknown>();
  for (let step = 1; step <= whole.steps; step += 1) {
    const cut = new CutKeyFiles(before, step);
    const cutRing = new FileKeyRing('', { files: cut, clock });
    await expect(cutRing.destroyTenantKeys(tenantId)).rejects.toThrow(PowerCut);
    for (const survivors of cut.survivors()) {
      const files = new CutKeyFiles(survivors);
      const ring = new FileKeyRing('', { files, clock });
      const outcome = survivors.has(`${tenantId}/destroyed`) ? 'KEY_DESTROYED' : keys;
      outcomes.add(outcome);
      const given = await ring.getRepositoryKeys(id).catch((error: unknown) => toAppError(error).code);
      expect(given).toEqual(outcome);
      const statement = await ring.destroyTenantKeys(tenantId);
      expect(verifyDestructionStatement(statement)).toBe(true);
      expect(statement.keys).toHaveLength(before.size);
      expect([...files.content.keys()].filter((name) => /kek|master|dedup|repositories/.test(name))).toEqual([]);
    }
  }
  expect(outcomes).toEqual(new Set([keys, 'KEY_DESTROYED']));
});

test('a rotation that ends after the keys were destroyed leaves nothing behind', async () => {
  const { tenantId } = options;
  let destroy = async (): Promise<unknown> => undefined;
  const files = new (class extends CutKeyFiles {
    override async putIfAbsent(name: string, parts: readonly Uint8Array[]): Promise<'created' | 'exists'> {
      const now = destroy;
      destroy = async () => undefined;
      await now();
      return super.putIfAbsent(name, parts);
    }
  })(await filesLeft());
  const ring = new FileKeyRing('', { files, clock });
  destroy = () => ring.destroyTenantKeys(tenantId);
  await expect(ring.rotateKeyEncryptionKey(tenantId)).rejects.toMatchObject({ code: 'KEY_DESTROYED' });
  expect([...files.content.keys()].filter((name) => /kek|master|dedup|repositories/.test(name))).toEqual([]);
  await expect(ring.getRepositoryKeys({ ...options, generation: 0 })).rejects.toMatchObject({ code: 'KEY_DESTROYED' });
});
