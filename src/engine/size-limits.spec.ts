import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../kernel/bytes.ts';
import { MAX_BYTES } from './format/size-limits.ts';
import type { Store } from './ports/store.ts';
import { DelegatingStore } from './stores/delegating-store.ts';
import { backup, createTestVault, MemoryDisk, restore, type TestVault } from './testing/test-vault.ts';

let vault: TestVault;

beforeEach(async () => {
  vault = await createTestVault();
});

afterEach(() => vault[Symbol.asyncDispose]());

/** Remembers what was read whole by a reader that would take any size. */
class WatchedStore extends DelegatingStore {
  readonly unlimited: string[] = [];

  override get(...[name, options]: Parameters<Store['get']>): Promise<Uint8Array> {
    if (options?.maxBytes === undefined) {
      this.unlimited.push(name);
    }
    return super.get(name, options);
  }
}

const noise = (): MemoryDisk => new MemoryDisk(new Uint8Array(randomBytes(300 * KIB)));

test('whoever reads an object whole says how large it may be', async () => {
  const watched: WatchedStore[] = [];
  const open = (): ReturnType<TestVault['open']> =>
    vault.open((inner) => {
      const store = new WatchedStore(inner);
      watched.push(store);
      return store;
    }, 1);
  await using repository = await open();
  const { summary } = await backup(repository, { disks: { xvda: noise() } });
  await repository.placeHold({ pointId: summary.pointId, holdId: randomUUID(), reason: 'court' });
  const { summary: gone } = await backup(repository, { disks: { xvda: noise() } });
  await repository.deletePoint(gone.pointId);
  await repository.collect({ graceMs: 0 });
  await repository.verify({ level: 1 });
  await repository.repair({ index: 'all' });
  await using other = await open();
  await restore(other, summary.pointId, 'xvda');
  await other.collect({ graceMs: 0 });
  expect(watched).toHaveLength(2);
  expect(watched.flatMap(({ unlimited }) => unlimited)).toEqual([]);
});

test('an object that is larger than any restore point is told, and the list goes on', async () => {
  await using repository = await vault.open(undefined, 1);
  const { summary } = await backup(repository, { disks: { xvda: noise() } });
  const stray = randomUUID();
  vault.objects.set(`points/${stray}`, new Uint8Array(MAX_BYTES.point + 1));
  const listed: string[] = [];
  const damaged: unknown[] = [];
  for await (const { pointId } of repository.listPoints({
    onDamaged: (id, { data }) => damaged.push([id, data['maxBytes']]),
  })) {
    listed.push(pointId);
  }
  expect([listed, damaged]).toEqual([[summary.pointId], [[stray, MAX_BYTES.point]]]);
});

test('a hold that nobody would read is refused before it is there', async () => {
  await using repository = await vault.open(undefined, 1);
  const { summary } = await backup(repository, { disks: { xvda: noise() } });
  const reason = 'x'.repeat(MAX_BYTES.custody);
  const hold = repository.placeHold({ pointId: summary.pointId, holdId: randomUUID(), reason });
  await expect(hold).rejects.toMatchObject({ code: 'BAD_INPUT' });
  await repository.deletePoint(summary.pointId);
});

test('a restore point that nobody would read is refused before it is there', async () => {
  await using repository = await vault.open(undefined, 1);
  const [sessionId, pointId] = [randomUUID(), randomUUID()];
  await repository.beginSession({ sessionId, pointId, purpose: 'backup', pins: [] });
  const config = new Uint8Array(MAX_BYTES.point);
  const commit = repository.commitPoint({ sessionId, pointId, vmId: 'vm-1', takenAt: 1, disks: [], config, info: {} });
  await expect(commit).rejects.toMatchObject({ code: 'BAD_INPUT' });
  expect([...vault.objects.keys()].filter((name) => name.startsWith('points/'))).toEqual([]);
});
