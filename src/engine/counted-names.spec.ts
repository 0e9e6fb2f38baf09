import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../kernel/clock.ts';
import { createRepository } from './create-repository.ts';
import { FileKeyRing } from './keys/file-key-ring.ts';
import { openRepository } from './open-repository.ts';
import { MemoryLeases } from './sessions/memory-leases.ts';
import { DirectoryStore } from './stores/directory-store.ts';
import { alterStore } from './testing/alter-store.ts';
import { backup, MemoryDisk, SMALL_PARAMETERS } from './testing/test-vault.ts';
import type { Repository } from './repository.ts';

const MANY = 20;

let folder: string;
let root: string;
let directory: DirectoryStore;
let repository: Repository;
let pointId: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-counted-'));
  root = join(folder, 'vault');
  await mkdir(root);
  directory = new DirectoryStore(root);
  const puts = new Map<string, number>();
  const store = alterStore(directory, {
    putIfAbsent: async (name, ...rest) => {
      puts.set(name, (puts.get(name) ?? 0) + 1);
      if ((puts.get(name) ?? 0) > MANY) {
        throw new Error('It never ends.');
      }
      return await directory.putIfAbsent(name, ...rest);
    },
  });
  const ids = { keyRing: new FileKeyRing(join(folder, 'keys')), tenantId: randomUUID(), repositoryId: randomUUID() };
  await createRepository({ store, ...ids, parameters: SMALL_PARAMETERS });
  const leases = new MemoryLeases(systemClock);
  repository = await openRepository({ store, ...ids, clock: systemClock, leases, workers: 1 });
  const done = await backup(repository, { disks: { xvda: new MemoryDisk(randomBytes(50_000)) } });
  pointId = done.summary.pointId;
});

afterEach(async () => {
  await repository[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Lists pass it over, and nothing can be put there. */
async function block(name: string): Promise<void> {
  await mkdir(join(root, name), { recursive: true });
}

async function namesIn(prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of directory.list(prefix)) {
    names.push(name);
  }
  return names;
}

test('an epoch is raised past a folder that has the name of the next one', async () => {
  await block('epoch/1');
  expect(await repository.raiseEpoch()).toBe(2);
  expect(await repository.raiseEpoch()).toBe(3);
});

test('packs are condemned past a folder that has the next number', async () => {
  await block('condemned/1');
  for (const name of await namesIn('data/')) {
    await directory.delete(name);
    await directory.putIfAbsent(name, [randomBytes(400)]);
  }
  const { condemnedPacks } = await repository.verify({ level: 0, condemn: true });
  expect(condemnedPacks.length).toBeGreaterThan(0);
  expect(await namesIn('condemned/')).toEqual(['condemned/2']);
});

test('a folder that has the name of the next entry of a restore point is named', async () => {
  const name = `custody/${pointId}/1`;
  await block(name);
  const refused = { code: 'VAULT_CORRUPT', data: { object: name } };
  await expect(repository.placeHold({ pointId, holdId: 'court', reason: '' })).rejects.toMatchObject(refused);
  await expect(repository.deletePoint(pointId)).rejects.toMatchObject(refused);
  expect((await repository.readPoint(pointId)).summary.pointId).toBe(pointId);
});
