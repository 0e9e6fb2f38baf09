import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { backup, createTestVault, MemoryDisk, restore, sameBytes, SMALL_PARAMETERS } from './testing/test-vault.ts';
import type { TestVault } from './testing/test-vault.ts';

const data = new Uint8Array(randomBytes(3 * SMALL_PARAMETERS.segmentBytes));

let vault: TestVault;

beforeEach(async () => {
  vault = await createTestVault();
});

afterEach(async () => {
  await vault[Symbol.asyncDispose]();
});

test('what others leave between the objects of a vault stops neither backups nor lists', async () => {
  for (const folder of ['index/0', 'points', 'sessions', 'epoch']) {
    vault.objects.set(`${folder}/.nfs000000000123`, randomBytes(10));
    vault.objects.set(`${folder}/Thumbs.db`, randomBytes(10));
  }
  await using repository = await vault.open(undefined, 1);
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
  const listed: string[] = [];
  for await (const { pointId } of repository.listPoints()) {
    listed.push(pointId);
  }
  for await (const { sessionId } of repository.listSessions()) {
    throw new Error(`no session is open, but ${sessionId} is listed`);
  }
  expect(listed).toEqual([summary.pointId]);
  expect((await repository.stats()).points).toBe(1);
});

test('a data pack that is no longer there is not relied upon: the next full backup stores its chunks again', async () => {
  {
    await using repository = await vault.open(undefined, 1);
    await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
  }
  const packs = [...vault.objects.keys()].filter((name) => name.startsWith('data/'));
  expect(packs.length).toBeGreaterThan(2);
  vault.objects.delete(packs[1] ?? '');
  await using repository = await vault.open(undefined, 1);
  const { summary, disks } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
  expect(disks[0]?.chunksNew).toBeGreaterThan(0);
  expect(disks[0]?.chunksNew).toBeLessThan(disks[0]?.chunksRead ?? 0);
  expect(sameBytes(await restore(repository, summary.pointId, 'xvda'), data)).toBe(true);
});

test('an index segment that is damaged costs space, not the backup', async () => {
  {
    await using repository = await vault.open(undefined, 1);
    await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
  }
  const [name = '', bytes = new Uint8Array(0)] = [...vault.objects].find(([each]) => each.startsWith('index/')) ?? [];
  const damaged = bytes.slice();
  damaged[bytes.length >> 1] = (damaged[bytes.length >> 1] ?? 0) ^ 1;
  vault.objects.set(name, damaged);
  await using repository = await vault.open(undefined, 1);
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
  expect(sameBytes(await restore(repository, summary.pointId, 'xvda'), data)).toBe(true);
});
