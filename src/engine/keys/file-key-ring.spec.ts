import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RepositoryKeyId, RepositoryKeys } from '../ports/key-ring.ts';
import { CutKeyFiles, PowerCut } from '../testing/cut-key-files.ts';
import { FileKeyRing } from './file-key-ring.ts';
import { unwrapKey } from './wrap.ts';

const tenantId = randomUUID();
const ids = [randomUUID(), randomUUID()].flatMap((repositoryId) =>
  [0, 1].map((generation): RepositoryKeyId => ({ tenantId, repositoryId, generation })),
);
const [first = { tenantId, repositoryId: randomUUID(), generation: 0 }] = ids;

async function everyKey(ring: FileKeyRing): Promise<RepositoryKeys[]> {
  const keys: RepositoryKeys[] = [];
  for (const id of ids) {
    keys.push(await ring.getRepositoryKeys(id));
  }
  return keys;
}

async function makeEveryKey(ring: FileKeyRing): Promise<void> {
  for (const id of ids) {
    await ring.createRepositoryKeys(id);
  }
}

/** Names as they are after so many rotations of either kind, in the order of names. */
function namesAfter(keks: number, masters: number): string[] {
  const kek = keks === 0 ? 'kek' : `kek.${keks}`;
  const master = keks === 0 ? `master.${masters}` : `master.${masters}.${keks}`;
  const keys = ids.map(({ repositoryId, generation }) => `repositories/${repositoryId}.${generation}.${masters}`);
  return [kek, master, `dedup.${masters}`, ...keys].map((name) => `${tenantId}/${name}`).toSorted();
}

describe('in a folder', () => {
  let folder: string;
  let ring: FileKeyRing;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-keys-'));
    ring = new FileKeyRing(folder);
    await makeEveryKey(ring);
  });

  afterEach(() => rm(folder, { recursive: true }));

  const names = async (): Promise<string[]> => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    return files.map((path) => path.slice(folder.length + 1)).toSorted();
  };

  test.each([
    ['tenant', { ...first, tenantId: '..' }],
    ['repository', { ...first, repositoryId: `${first.repositoryId}/..` }],
  ])('a %s that is no UUID names no file, and is said', async (what, id) => {
    const refused = { code: 'BAD_INPUT', message: expect.stringContaining(`The ${what} id`) };
    await expect(ring.getRepositoryKeys(id)).rejects.toMatchObject(refused);
    await expect(ring.createRepositoryKeys(id)).rejects.toMatchObject(refused);
  });

  test('keys are made once, and differ, but for the dedup secret of the tenant', async () => {
    const keys = await everyKey(ring);
    await makeEveryKey(new FileKeyRing(folder));
    expect(await everyKey(new FileKeyRing(folder))).toEqual(keys);
    expect(new Set(keys.map(({ repositoryKey }) => Buffer.from(repositoryKey).toString('hex'))).size).toBe(ids.length);
    expect(new Set(keys.map(({ dedupSecret }) => Buffer.from(dedupSecret).toString('hex'))).size).toBe(1);
    expect(await names()).toEqual(namesAfter(0, 0));
  });

  test('a key that was never made is missing, and asking for it makes none', async () => {
    const other = { ...first, generation: 2 };
    await expect(ring.getRepositoryKeys(other)).rejects.toMatchObject({ code: 'KEY_MISSING' });
    await expect(ring.getRepositoryKeys({ ...first, tenantId: randomUUID() })).rejects.toMatchObject({
      code: 'KEY_MISSING',
    });
    const nowhere = new FileKeyRing(join(folder, 'nowhere'));
    await expect(nowhere.getRepositoryKeys(first)).rejects.toMatchObject({ code: 'KEY_MISSING' });
    expect(await names()).toEqual(namesAfter(0, 0));
  });

  test('a lost key-encryption key is not replaced by another', async () => {
    await rm(join(folder, tenantId, 'kek'));
    await expect(ring.getRepositoryKeys(first)).rejects.toMatchObject({ code: 'KEY_MISSING' });
    const fresh = { ...first, generation: 7 };
    await expect(ring.createRepositoryKeys(fresh)).rejects.toMatchObject({ code: 'KEY_MISSING' });
    await expect(ring.rotateKeyEncryptionKey(tenantId)).rejects.toMatchObject({ code: 'KEY_MISSING' });
    await expect(ring.rotateMasterKey(tenantId)).rejects.toMatchObject({ code: 'KEY_MISSING' });
  });

  test('rotations wrap the same keys anew, and what opened them before opens nothing any more', async () => {
    const keys = await everyKey(ring);
    const oldKek = await readFile(join(folder, tenantId, 'kek'));
    await ring.rotateKeyEncryptionKey(tenantId);
    expect(await names()).toEqual(namesAfter(1, 0));
    await ring.rotateMasterKey(tenantId);
    await ring.rotateMasterKey(tenantId);
    expect(await names()).toEqual(namesAfter(1, 2));
    await ring.rotateKeyEncryptionKey(tenantId);
    expect(await names()).toEqual(namesAfter(2, 2));
    expect(await everyKey(ring)).toEqual(keys);
    expect(await everyKey(new FileKeyRing(folder))).toEqual(keys);
    for (const name of (await names()).filter((name) => !name.includes('/kek'))) {
      const stored = await readFile(join(folder, name));
      expect(() => unwrapKey(oldKek, stored, `holdfast key 1 ${name}`)).toThrow('authenticate');
    }
  });

  test('readers and makers at the same time as rotations notice nothing', async () => {
    const keys = await everyKey(ring);
    const [before] = keys;
    const made = new Map<number, RepositoryKeys>();
    const done = { yet: false };
    const rotating = (async () => {
      for (let i = 0; i < 6; i += 1) {
        await (i % 2 === 0 ? ring.rotateMasterKey(tenantId) : ring.rotateKeyEncryptionKey(tenantId));
      }
      done.yet = true;
    })();
    const reading = (async () => {
      while (!done.yet) {
        expect(await new FileKeyRing(folder).getRepositoryKeys(first)).toEqual(before);
      }
    })();
    const making = (async () => {
      for (let generation = 10; !done.yet && generation < 16; generation += 1) {
        const [one, two] = [new FileKeyRing(folder), new FileKeyRing(folder)];
        const id = { ...first, generation };
        const [a, b] = await Promise.all([one.createRepositoryKeys(id), two.createRepositoryKeys(id)]);
        expect(a).toEqual(b);
        made.set(generation, a);
      }
    })();
    await Promise.all([rotating, reading, making]);
    expect(made.size).toBeGreaterThan(0);
    for (const [generation, key] of made) {
      expect(await ring.getRepositoryKeys({ ...first, generation })).toEqual(key);
    }
    expect(await everyKey(ring)).toEqual(keys);
  });

  test('two rotations at once lose nothing', async () => {
    const keys = await everyKey(ring);
    for (let i = 0; i < 3; i += 1) {
      const others = [new FileKeyRing(folder), new FileKeyRing(folder), new FileKeyRing(folder)] as const;
      await Promise.all([
        others[0].rotateKeyEncryptionKey(tenantId),
        others[1].rotateMasterKey(tenantId),
        others[2].rotateKeyEncryptionKey(tenantId),
      ]);
      expect(await everyKey(ring)).toEqual(keys);
    }
  });
});

describe('when the power goes', () => {
  const rotations = {
    'of the key-encryption key': (ring: FileKeyRing) => ring.rotateKeyEncryptionKey(tenantId),
    'of the master key': (ring: FileKeyRing) => ring.rotateMasterKey(tenantId),
  };
  const open = (files: CutKeyFiles): FileKeyRing => new FileKeyRing('', { files });

  test.each(Object.entries(rotations))(
    'after any step of a rotation %s, every key is there and it can go on',
    async (_, rotate) => {
      const before = new CutKeyFiles();
      await makeEveryKey(open(before));
      await before.flush();
      const keys = await everyKey(open(before));
      const whole = new CutKeyFiles(before.content);
      await rotate(open(whole));
      expect(whole.steps).toBeGreaterThan(8);

      let states = 0;
      for (let step = 1; step <= whole.steps; step += 1) {
        const cut = new CutKeyFiles(before.content, step);
        await expect(rotate(open(cut))).rejects.toThrow(PowerCut);
        for (const survivors of cut.survivors()) {
          states += 1;
          const after = new CutKeyFiles(survivors);
          expect(await everyKey(open(after))).toEqual(keys);
          await rotate(open(after));
          expect(await everyKey(open(after))).toEqual(keys);
          expect(after.content.size).toBe(before.content.size);
        }
      }
      expect(states).toBeGreaterThan(whole.steps);
    },
  );

  test('after any step of making keys, they can be made, and those that were handed out stay', async () => {
    const whole = new CutKeyFiles();
    await makeEveryKey(open(whole));
    for (let step = 1; step <= whole.steps; step += 1) {
      const cut = new CutKeyFiles(new Map(), step);
      const handedOut: RepositoryKeys[] = [];
      const making = (async () => {
        for (const id of ids) {
          handedOut.push(await open(cut).createRepositoryKeys(id));
        }
      })();
      await expect(making).rejects.toThrow(PowerCut);
      for (const survivors of cut.survivors()) {
        const ring = open(new CutKeyFiles(survivors));
        await makeEveryKey(ring);
        expect((await everyKey(ring)).slice(0, handedOut.length)).toEqual(handedOut);
      }
    }
  });
});
