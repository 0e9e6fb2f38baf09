import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newObjectId } from './format/ids.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes, SMALL_PARAMETERS } from './testing/test-vault.ts';
import type { TestVault } from './testing/test-vault.ts';
import type { DiskResult } from './write/write-types.ts';

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

test('what others left beside the journal of a session stays, and stops neither its write nor its end', async () => {
  await using repository = await vault.open(undefined, 1);
  const session = { sessionId: randomUUID(), pointId: randomUUID(), purpose: 'backup' as const, pins: [] };
  await repository.beginSession(session);
  const write = async (): Promise<DiskResult> =>
    repository.writeDisk({
      sessionId: session.sessionId,
      diskKey: 'xvda',
      sizeBytes: data.length,
      source: new MemoryDisk(data),
    });
  await write();
  const [entry = ''] = [...vault.objects.keys()].filter((name) => name.startsWith(`sessions/${session.sessionId}.`));
  const tag = entry.split('.')[1] ?? '';
  const strays = [
    '/x',
    '.x',
    `.${newObjectId()}`,
    `${tag}.x`,
    `${tag}.${newObjectId()}.bak`,
    `${tag}/.${newObjectId()}`,
  ];
  const names = strays.map((stray) => `sessions/${session.sessionId}.${stray}`);
  names.forEach((name) => vault.objects.set(name, randomBytes(10)));
  await write();
  await repository.endSession(session.sessionId);
  await repository.collect({ graceMs: 0 });
  expect([...vault.objects.keys()].filter((name) => name.startsWith('sessions/')).toSorted()).toEqual(names.toSorted());
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
