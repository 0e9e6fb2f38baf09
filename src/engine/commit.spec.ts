import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Store } from './ports/store.ts';
import { alterStore } from './testing/alter-store.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes, SMALL_PARAMETERS } from './testing/test-vault.ts';
import type { TestVault } from './testing/test-vault.ts';
import type { DiskResult } from './write/write-types.ts';
import type { Repository } from './repository.ts';

const data = new Uint8Array(randomBytes(2 * SMALL_PARAMETERS.segmentBytes));

let vault: TestVault;
let repository: Repository;
let ids: { sessionId: string; pointId: string };
let written: DiskResult;

beforeEach(async () => {
  vault = await createTestVault();
  repository = await vault.open(undefined, 1);
  ids = { sessionId: randomUUID(), pointId: randomUUID() };
  await repository.beginSession({ ...ids, purpose: 'backup', pins: [] });
  const source = new MemoryDisk(data);
  written = await repository.writeDisk({
    sessionId: ids.sessionId,
    diskKey: 'xvda',
    sizeBytes: data.length,
    source,
  });
});

afterEach(async () => {
  await repository[Symbol.asyncDispose]();
  await vault[Symbol.asyncDispose]();
});

const commit = (disks: readonly DiskResult[], by: Repository = repository): Promise<unknown> =>
  by.commitPoint({ ...ids, vmId: 'vm', takenAt: 0, disks, config: new Uint8Array(0), info: {} });

test('two disks under one key are refused: only one of them could be restored', async () => {
  await expect(commit([written, written])).rejects.toMatchObject({ code: 'BAD_INPUT' });
  await commit([written]);
  expect(sameBytes(await restore(repository, ids.pointId, 'xvda'), data)).toBe(true);
});

const checkpoint = (): DiskResult['manifest']['layers'][number] => {
  const [layer] = written.manifest.layers;
  if (layer === undefined) {
    throw new Error('a disk was written without a layer');
  }
  return layer;
};

test.each<[string, () => DiskResult]>([
  ['another size', () => ({ ...written, sizeBytes: written.sizeBytes - 4096 })],
  ['another disk in its manifest', () => ({ ...written, manifest: { ...written.manifest, diskKey: 'xvdb' } })],
  ['no layers', () => ({ ...written, manifest: { ...written.manifest, layers: [] } })],
  [
    'a delta without a checkpoint',
    () => ({ ...written, manifest: { ...written.manifest, layers: [{ ...checkpoint(), kind: 'delta' }] } }),
  ],
  [
    'a last layer of another size',
    () => ({ ...written, manifest: { ...written.manifest, layers: [{ ...checkpoint(), sizeBytes: 4096 }] } }),
  ],
  [
    'a pack whose name is none',
    () => {
      const packs = checkpoint().packs.map((pack) => ({ ...pack, id: '../../points/x' }));
      return { ...written, manifest: { ...written.manifest, layers: [{ ...checkpoint(), packs }] } };
    },
  ],
])('what a disk is committed with must be what writing it returned: %s', async (_, tampered) => {
  await expect(commit([tampered()])).rejects.toMatchObject({ code: 'BAD_INPUT' });
  expect(vault.objects.has(`points/${ids.pointId}`)).toBe(false);
});

test('a manifest that was cut short since is found before the point exists', async () => {
  const [name = '', bytes = new Uint8Array(0)] = [...vault.objects].find(([each]) => each.startsWith('meta/')) ?? [];
  vault.objects.set(name, bytes.slice(0, bytes.length - 1));
  await expect(commit([written])).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
  expect(vault.objects.has(`points/${ids.pointId}`)).toBe(false);
});

test('a commit that is repeated by another process makes the name of the point durable before it answers', async () => {
  await commit([written]);
  const calls: string[] = [];
  const spy = (store: Store): Store =>
    alterStore(store, {
      head: (name) => {
        calls.push(`head ${name}`);
        return store.head(name);
      },
      flush: () => {
        calls.push('flush');
        return store.flush();
      },
    });
  await using other = await vault.open(spy);
  await commit([written], other);
  expect(calls.slice(-2)).toEqual([`head points/${ids.pointId}`, 'flush']);
});

test('a session that was ended does not come back with a late commit', async () => {
  await repository.endSession(ids.sessionId);
  const anew = { code: 'SESSION_FENCED', hint: expect.stringContaining('Begin a new session') };
  await expect(commit([written])).rejects.toMatchObject(anew);
  await expect(backup(repository, { ...ids, disks: { xvda: new MemoryDisk(data) } })).rejects.toMatchObject({
    code: 'SESSION_FENCED',
  });
});
