import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../kernel/bytes.ts';
import { FORMAT_VERSION } from './format/header.ts';
import { newObjectId } from './format/ids.ts';
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

test.each([
  ['random bytes', /^(repo|epoch|condemned|sessions|index)/],
  ['a copy of another object', /^(repo|epoch|condemned|sessions|index)/],
  // What a later program condemned must keep this one from writing.
  ['a format of the future', /^(repo|epoch|sessions|index)/],
])('%s where numbers come next let backups go on after a repair', async (kind, where) => {
  const forge = FORGERIES[kind] ?? ofTheFuture;
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
});
