import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import type { RepositoryKeyId, RepositoryKeys } from '../ports/key-ring.ts';
import { CutKeyFiles } from '../testing/cut-key-files.ts';
import { FileKeyRing } from './file-key-ring.ts';
import type { KeyFiles } from './key-files.ts';

type Change = 'put' | 'erase' | 'delete' | 'flush';

/** One process's view of files that it shares with others, in whose midst a test can let the others go on. */
class GatedKeyFiles implements KeyFiles {
  readonly description = 'memory';
  readonly #inner: KeyFiles;
  readonly #before: (change: Change, name: string) => Promise<void>;

  constructor(inner: KeyFiles, before: (change: Change, name: string) => Promise<void>) {
    this.#inner = inner;
    this.#before = before;
  }

  make = (): Promise<void> => this.#inner.make();
  get: KeyFiles['get'] = (name, options) => this.#inner.get(name, options);
  list: KeyFiles['list'] = (prefix) => this.#inner.list(prefix);

  async putIfAbsent(name: string, parts: readonly Uint8Array[]): Promise<'created' | 'exists'> {
    await this.#before('put', name);
    return this.#inner.putIfAbsent(name, parts);
  }

  async erase(name: string): Promise<void> {
    await this.#before('erase', name);
    await this.#inner.erase(name);
  }

  async delete(name: string): Promise<void> {
    await this.#before('delete', name);
    await this.#inner.delete(name);
  }

  async flush(): Promise<void> {
    await this.#before('flush', '');
    await this.#inner.flush();
  }
}

const tenantId = randomUUID();
const id: RepositoryKeyId = { tenantId, repositoryId: randomUUID(), generation: 0 };
const fresh: RepositoryKeyId = { ...id, generation: 1 };
const open = (files: KeyFiles): FileKeyRing => new FileKeyRing('', { files });

let shared: CutKeyFiles;
let made: RepositoryKeys;

beforeEach(async () => {
  shared = new CutKeyFiles();
  made = await open(shared).createRepositoryKeys(id);
});

const OPERATIONS = {
  'rotates the key-encryption key': (ring: FileKeyRing) => ring.rotateKeyEncryptionKey(tenantId),
  'rotates the master key': (ring: FileKeyRing) => ring.rotateMasterKey(tenantId),
  'makes a key': (ring: FileKeyRing) => ring.createRepositoryKeys(fresh),
} as const;
const NAMES = Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[];
const PAIRS = NAMES.flatMap((first) => NAMES.map((second) => [first, second] as const));

test.each(PAIRS)('one %s, and at any step of it another %s: nothing is lost', async (first, second) => {
  const before = new Map(shared.content);
  let steps = 1;
  for (let at = 1; at <= steps; at += 1) {
    const files = new CutKeyFiles(before);
    let step = 0;
    const handedOut: unknown[] = [];
    const gated = new GatedKeyFiles(files, async () => {
      step += 1;
      if (step === at) {
        handedOut.push(await OPERATIONS[second](open(files)));
      }
    });
    handedOut.push(await OPERATIONS[first](open(gated)));
    steps = Math.max(steps, step);
    const keys = handedOut.filter((key) => key !== undefined);
    const expected = keys.length === 0 ? [] : [await open(files).getRepositoryKeys(fresh)];
    keys.forEach((key) => expect([key]).toEqual(expected));
    expect(await open(files).getRepositoryKeys(id)).toEqual(made);
    await open(files).rotateMasterKey(tenantId);
    await open(files).rotateKeyEncryptionKey(tenantId);
    expect(await open(files).getRepositoryKeys(id)).toEqual(made);
    expect(files.content.size).toBe(4 + (keys.length > 0 ? 1 : 0));
  }
  expect(steps).toBeGreaterThan(1);
});

test('a key made under a master key whose own key is about to go is not lost with it', async () => {
  const gates = ['rotator put', 'rotator goes on', 'remover waits', 'remover goes on'] as const;
  const gate = Object.fromEntries(gates.map((name) => [name, Promise.withResolvers<void>()]));
  const reached = Promise.withResolvers<void>();
  let isPut = false;
  const master = open(
    new GatedKeyFiles(shared, async (change, name) => {
      if (change === 'put' && name.endsWith('/master.1')) {
        reached.resolve();
        await gate['remover waits']?.promise;
        isPut = true;
      } else if (isPut) {
        gate['rotator put']?.resolve();
        await gate['rotator goes on']?.promise;
      }
    }),
  );
  const kek = open(
    new GatedKeyFiles(shared, async (change, name) => {
      if (change === 'erase' && name.endsWith('/kek')) {
        gate['remover waits']?.resolve();
        await gate['remover goes on']?.promise;
      }
    }),
  );
  const rotatingMaster = master.rotateMasterKey(tenantId);
  await reached.promise;
  const rotatingKek = kek.rotateKeyEncryptionKey(tenantId);
  await gate['rotator put']?.promise;
  // The new master key is there, wrapped with a key-encryption key that is going to be erased next.
  const key = await open(shared).createRepositoryKeys(fresh);
  gate['remover goes on']?.resolve();
  await rotatingKek;
  expect(await open(shared).getRepositoryKeys(fresh)).toEqual(key);
  gate['rotator goes on']?.resolve();
  await rotatingMaster;
  expect(await open(shared).getRepositoryKeys(fresh)).toEqual(key);
  expect(await open(shared).getRepositoryKeys(id)).toEqual(made);
});

test('a master key whose own key went before it was there is made again', async () => {
  const reached = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const master = open(
    new GatedKeyFiles(shared, async (change, name) => {
      if (change === 'put' && name.endsWith('/master.1')) {
        reached.resolve();
        await goOn.promise;
      }
    }),
  );
  const rotating = master.rotateMasterKey(tenantId);
  await reached.promise;
  await open(shared).rotateKeyEncryptionKey(tenantId);
  goOn.resolve();
  await rotating;
  expect([...shared.content.keys()].filter((name) => name.includes('/dedup.'))).toEqual([`${tenantId}/dedup.1`]);
  expect(await open(shared).getRepositoryKeys(id)).toEqual(made);
});

test('a key that was wrapped with a master key which is about to go is wrapped once more', async () => {
  const listed = Promise.withResolvers<void>();
  const atPut = Promise.withResolvers<void>();
  const isPut = Promise.withResolvers<void>();
  const maker = open(
    new GatedKeyFiles(shared, async (change, name) => {
      if (change === 'put' && name.endsWith('.1.0')) {
        atPut.resolve();
        await listed.promise;
      }
    }),
  );
  const rotator = open(
    new GatedKeyFiles(shared, async (change, name) => {
      if (change === 'delete' && name.endsWith('/master.0')) {
        listed.resolve();
        await isPut.promise;
      }
    }),
  );
  const making = maker.createRepositoryKeys(fresh);
  await atPut.promise;
  const rotating = rotator.rotateMasterKey(tenantId);
  const key = await making;
  isPut.resolve();
  await rotating;
  expect(await open(shared).getRepositoryKeys(fresh)).toEqual(key);
  expect(await open(shared).getRepositoryKeys(id)).toEqual(made);
});
