import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../kernel/bytes.ts';
import { beginKeyGeneration } from './begin-key-generation.ts';
import { planCopy } from './copy/find-copies.ts';
import { FORMAT_VERSION } from './format/header.ts';
import { newObjectId, uuidToObjectId } from './format/ids.ts';
import { deriveParametersKey } from './keys/key-schedule.ts';
import { encodeRepositoryFile, type RepositoryFile } from './repository-parameters.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes, type TestVault } from './testing/test-vault.ts';

/*
 * Somebody who may write to the store, and has no key, puts things at names that the next reader will look at: names that
 * can be guessed, since some objects are numbered.
 */

const data = new Uint8Array(randomBytes(300 * KIB));
/** Where a header says its format. */
const FORMAT_AT = 8;
const FAR = 999_999_999_999_999;

let vault: TestVault;
let pointId: string;

beforeEach(async () => {
  vault = await createTestVault();
  await using repository = await vault.open(undefined, 1);
  ({
    summary: { pointId },
  } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } }));
});

afterEach(async () => {
  await vault[Symbol.asyncDispose]();
});

const genuine = (name: string): Uint8Array => vault.objects.get(name) ?? new Uint8Array(0);

/** As an object of a format that a later program may write: the header is clear, and anybody can make one. */
function ofTheFuture(): Uint8Array {
  const name = [...vault.objects.keys()].find((each) => each.startsWith('index/')) ?? '';
  const forged = genuine(name).slice();
  forged[FORMAT_AT] = FORMAT_VERSION + 1;
  return forged;
}

const FORGERIES: Readonly<Record<string, () => Uint8Array>> = {
  'random bytes': () => new Uint8Array(randomBytes(400)),
  nothing: () => new Uint8Array(0),
  'a format of the future': ofTheFuture,
  'a copy of another object': () => genuine(`points/${pointId}`),
  'a description of another format': () => new Uint8Array(Buffer.from('{"format":2}\n')),
};

const guessable = (): string[] => [
  'repo.1',
  'repo.2',
  'repo.7',
  'epoch/1',
  'epoch/2',
  `epoch/${FAR}`,
  'condemned/1',
  'condemned/2',
  `condemned/${FAR}`,
  'condemned/1.waits',
  `custody/${pointId}/1`,
  `custody/${pointId}/2`,
  `custody/${pointId}/${FAR}`,
  `custody/${randomUUID()}/1`,
  `sessions/${randomUUID()}`,
  `sessions/${randomUUID()}.${'0'.repeat(16)}.${newObjectId()}`,
  `points/${randomUUID()}`,
  `index/0/${newObjectId()}`,
  `index/1/${newObjectId()}`,
];

async function restoreAnew(): Promise<Uint8Array> {
  await using repository = await vault.open(undefined, 1);
  const sessionId = randomUUID();
  await repository.beginSession({ sessionId, pointId: randomUUID(), purpose: 'restore', pins: [pointId] });
  const restored = await restore(repository, pointId, 'xvda');
  await repository.endSession(sessionId);
  return restored;
}

test.each(Object.entries(FORGERIES))(
  '%s at every name that can be guessed keep nobody from restoring',
  async (_, forge) => {
    const names = guessable().filter((name) => !vault.objects.has(name));
    names.forEach((name) => vault.objects.set(name, forge()));
    expect(sameBytes(await restoreAnew(), data)).toBe(true);
    const damaged: string[] = [];
    const listed: string[] = [];
    await using repository = await vault.open(undefined, 1);
    for await (const point of repository.listPoints({ onDamaged: (id) => damaged.push(id) })) {
      listed.push(point.pointId);
    }
    expect(listed).toEqual([pointId]);
    await expect(repository.deletePoint(pointId)).rejects.toMatchObject({ code: /VAULT_CORRUPT|VAULT_FORMAT_UNKNOWN/ });
  },
);

test.each(['random bytes', 'a copy of another object', 'a format of the future'])(
  '%s where numbers come next let backups go on after a repair',
  async (kind) => {
    const forge = FORGERIES[kind] ?? ofTheFuture;
    const where = /^(repo|epoch|condemned|sessions|index)/;
    const names = guessable().filter((name) => where.test(name) && !vault.objects.has(name));
    names.forEach((name) => vault.objects.set(name, forge()));
    await using repository = await vault.open(undefined, 1);
    const { raisedEpoch } = await repository.repair({ index: 'damaged' });
    expect(raisedEpoch).toBe(3);
    names.filter((name) => name.startsWith('index/')).forEach((name) => vault.objects.set(name, forge()));
    const changed = data.slice();
    changed.set(randomBytes(20 * KIB));
    const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(changed) } });
    expect(sameBytes(await restore(repository, summary.pointId, 'xvda'), changed)).toBe(true);
    expect(sameBytes(await restoreAnew(), data)).toBe(true);
  },
);

test.each(Object.entries(FORGERIES))('%s keep nobody from collecting', async (_, forge) => {
  const other = randomUUID();
  const names = guessable().filter((name) => /^(condemned|custody|index)/.test(name) && !name.includes(pointId));
  names.push(`sessions/${other}.${'0'.repeat(16)}.${newObjectId()}`);
  names.forEach((name) => vault.objects.set(name, forge()));
  await using repository = await vault.open(undefined, 1);
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(new Uint8Array(randomBytes(KIB))) } });
  await repository.deletePoint(pointId);
  const result = await repository.collect({ graceMs: 0 });
  expect(result).toMatchObject({ unreadable: [], pending: { packs: 0 }, deleted: { points: 1 } });
  expect(result.deleted.dataPacks).toBeGreaterThan(1);
  await expect(restoreAnew()).rejects.toMatchObject({ code: 'NO_RESTORE_POINT' });
  expect((await repository.verify({ level: 2 })).intactPoints).toEqual([summary.pointId]);
});

/** What a later program does first: it begins a generation, and says there what it will write. */
async function beginLaterFormat(): Promise<void> {
  const generation = await beginKeyGeneration(vault);
  const name = `repo.${generation}`;
  const keys = await vault.keyRing.getRepositoryKeys({ ...vault, generation });
  const parametersKey = deriveParametersKey(keys, uuidToObjectId(vault.repositoryId, 'repository'));
  const file = JSON.parse(Buffer.from(genuine(name)).toString('utf8').split('\n')[0] ?? '') as RepositoryFile;
  vault.objects.set(name, encodeRepositoryFile({ ...file, format: FORMAT_VERSION + 1 }, parametersKey));
}

test('a pack of another format is damaged where no generation says so, else of a later program', async () => {
  await using repository = await vault.open(undefined, 1);
  [...vault.objects.keys()]
    .filter((name) => name.startsWith('data/'))
    .forEach((name) => {
      vault.objects.set(name, new Uint8Array(genuine(name)).with(FORMAT_AT, 3));
    });
  await expect(restore(repository, pointId, 'xvda')).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
  await beginLaterFormat();
  await expect(restore(repository, pointId, 'xvda')).rejects.toMatchObject({ code: 'VAULT_FORMAT_UNKNOWN' });
});

test('what a later program may have condemned stops whoever still writes and knows nothing of it', async () => {
  await using repository = await vault.open(undefined, 1);
  vault.objects.set('condemned/1', ofTheFuture());
  const disks = { xvda: new MemoryDisk(data) };
  await backup(repository, { disks });
  await beginLaterFormat();
  vault.objects.set('condemned/2', ofTheFuture());
  const refused = { code: 'VAULT_FORMAT_UNKNOWN' };
  await expect(backup(repository, { disks })).rejects.toMatchObject(refused);
  await expect(repository.collect()).rejects.toMatchObject(refused);
  await expect(vault.open()).rejects.toMatchObject(refused);
  // Nobody can tell.
  vault.objects.delete('repo.1');
  await expect(backup(repository, { disks })).rejects.toMatchObject(refused);
});

test.each(Object.entries(FORGERIES))('a session that is %s keeps nobody from copying', async (_, forge) => {
  await using other = await createTestVault();
  await using from = await vault.open(undefined, 1);
  await using to = await other.open(undefined, 1);
  [vault, other].forEach(({ objects }) => objects.set(`sessions/${randomUUID()}`, forge()));
  const { resumes, ...ids } = await planCopy(from, to, pointId, randomUUID);
  expect(resumes).toBe(false);
  const { summary } = await from.copyPoint({ ...ids, to });
  expect(sameBytes(await restore(to, summary.pointId, 'xvda'), data)).toBe(true);
});
