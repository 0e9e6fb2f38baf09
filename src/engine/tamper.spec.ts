import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../kernel/bytes.ts';
import { isAppError } from '../kernel/errors.ts';
import { systemClock } from '../kernel/clock.ts';
import { DIGEST_BYTES, plainDigest } from './keys/digest.ts';
import { openRepository } from './open-repository.ts';
import { MemoryLeases } from './sessions/memory-leases.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes, type TestVault } from './testing/test-vault.ts';
import type { Repository } from './repository.ts';

const HEADER = 64;
const data = new Uint8Array(randomBytes(300 * KIB));
data.fill(5, 100 * KIB, 200 * KIB);

let vault: TestVault;
let repository: Repository;
let pointId: string;

beforeEach(async () => {
  vault = await createTestVault();
  repository = await vault.open();
  ({ pointId } = (await backup(repository, { disks: { xvda: new MemoryDisk(data) } })).summary);
});

afterEach(async () => {
  await repository[Symbol.asyncDispose]();
  await vault[Symbol.asyncDispose]();
});

function names(prefix: string): string[] {
  return [...vault.objects.keys()].filter((name) => name.startsWith(prefix));
}

function bytesOf(name: string): Uint8Array {
  return vault.objects.get(name) ?? new Uint8Array(0);
}

/** As somebody would who knows the format but no key: the keyless hash is made right again. */
function rehash(object: Uint8Array): Uint8Array {
  object.set(plainDigest(object.subarray(0, -DIGEST_BYTES)), object.length - DIGEST_BYTES);
  return object;
}

/** The object that a restore names as damaged. By a fresh repository, so that nothing is remembered. */
async function findDamage(): Promise<unknown> {
  await using fresh = await vault.open();
  const error = await restore(fresh, pointId, 'xvda').then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return isAppError(error, 'VAULT_CORRUPT') ? error.data['object'] : error;
}

test('a flipped bit anywhere in a pack’s frames, table or footer is found and the pack named', async () => {
  for (const name of [...names('data/'), ...names('meta/')]) {
    const original = bytesOf(name);
    const places = [HEADER, HEADER + 1, Math.floor(original.length / 3), original.length - 300, original.length - 60];
    for (const at of places) {
      const damaged = original.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      vault.objects.set(name, rehash(damaged));
      expect(await findDamage()).toBe(name);
    }
    vault.objects.set(name, original);
  }
  expect(sameBytes(await restore(repository, pointId, 'xvda'), data)).toBe(true);
});

test('a changed header does not open: salt, kind, generation and id are part of the key', async () => {
  const [name = ''] = names('data/');
  const original = bytesOf(name);
  for (const at of [10, 12, 16, 40]) {
    const damaged = original.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 0x03;
    vault.objects.set(name, rehash(damaged));
    expect(await findDamage()).toBe(name);
  }
});

test('two packs that were exchanged are found', async () => {
  const [first = '', second = ''] = names('data/');
  const [a, b] = [bytesOf(first), bytesOf(second)];
  vault.objects.set(first, b);
  vault.objects.set(second, a);
  await using fresh = await vault.open();
  await expect(restore(fresh, pointId, 'xvda')).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
});

test('frames that change places within a pack are found', async () => {
  // Which worker packs what is a matter of timing: the largest pack has room for both places.
  const [name = ''] = names('data/').toSorted((a, b) => bytesOf(b).length - bytesOf(a).length);
  const damaged = bytesOf(name).slice();
  const [from, to] = [HEADER, HEADER + 40 * KIB];
  const first = damaged.slice(from, from + 8 * KIB);
  damaged.copyWithin(from, to, to + 8 * KIB);
  damaged.set(first, to);
  vault.objects.set(name, rehash(damaged));
  expect(await findDamage()).toBe(name);
});

test('a pack that is truncated or missing is found', async () => {
  const [name = ''] = names('data/');
  const original = bytesOf(name);
  for (const length of [0, 10, HEADER, original.length - 1, Math.floor(original.length / 2)]) {
    vault.objects.set(name, original.slice(0, length));
    expect(await findDamage()).toBe(name);
  }
  vault.objects.delete(name);
  expect(await findDamage()).toBe(name);
});

test('a restore point does not open under another id, nor a session as a point', async () => {
  const other = randomUUID();
  vault.objects.set(`points/${other}`, bytesOf(`points/${pointId}`));
  await expect(repository.readPoint(other)).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
  const sessionId = randomUUID();
  await repository.beginSession({ sessionId, pointId: randomUUID(), purpose: 'restore', pins: [] });
  vault.objects.set(`points/${sessionId}`, bytesOf(`sessions/${sessionId}`));
  await expect(repository.readPoint(sessionId)).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
});

test('an object of another repository, or opened with another’s keys, is refused', async () => {
  await using other = await createTestVault();
  await using stranger = await other.open();
  other.objects.set(`points/${pointId}`, bytesOf(`points/${pointId}`));
  await expect(stranger.readPoint(pointId)).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });

  const { store, repositoryId } = vault;
  const ids = { repositoryId, tenantId: other.tenantId, keyRing: other.keyRing };
  const ports = { store, clock: systemClock, leases: new MemoryLeases(systemClock) };
  await expect(openRepository({ ...ids, ...ports })).rejects.toMatchObject({ code: 'KEY_MISSING' });
  const keyRing = {
    createRepositoryKeys: () => other.keyRing.getRepositoryKeys({ ...other, generation: 0 }),
    getRepositoryKeys: () => other.keyRing.getRepositoryKeys({ ...other, generation: 0 }),
  };
  await expect(openRepository({ ...ids, ...ports, keyRing })).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
});

test('parameters that were changed, and formats of the future, are refused', async () => {
  const original = Buffer.from(bytesOf('repo.0')).toString('utf8');
  vault.objects.set('repo.0', Buffer.from(original.replace('"minChunkBytes":8192', '"minChunkBytes":4096')));
  await expect(vault.open()).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
  vault.objects.set('repo.0', Buffer.from(original.replace('"format":1', '"format":2')));
  await expect(vault.open()).rejects.toMatchObject({ code: 'VAULT_FORMAT_UNKNOWN' });
  vault.objects.set('repo.0', Buffer.from(original));
  const point = bytesOf(`points/${pointId}`).slice();
  point[8] = 2;
  vault.objects.set(`points/${pointId}`, point);
  // The vault says that nobody wrote one: this is damage.
  await expect(repository.readPoint(pointId)).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
});

test('nothing that is stored shows the disk, its digests or its size', async () => {
  const needles = [
    Buffer.from(data.subarray(0, 32)),
    Buffer.from('the configuration'),
    Buffer.from(String(data.length)),
    Buffer.from('xvda'),
  ];
  for (const object of vault.objects.values()) {
    for (const needle of needles) {
      expect(Buffer.from(object).includes(needle)).toBe(false);
    }
  }
});
