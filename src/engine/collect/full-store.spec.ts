import { randomBytes } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { AppError } from '../../kernel/errors.ts';
import { KIB } from '../../kernel/bytes.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes } from '../testing/test-vault.ts';

vi.mock('../worker/lane.ts', () => import('../testing/inline-lane.ts'));

test('a store without room for what has to be copied gets it from what nobody needs', async () => {
  await using vault = await createTestVault();
  await using repository = await vault.open();
  const noise = (kib: number): Uint8Array => new Uint8Array(randomBytes(kib * KIB));
  const store = async (data: Uint8Array): Promise<string> =>
    (await backup(repository, { disks: { xvda: new MemoryDisk(data) } })).summary.pointId;
  const dataPacks = (): number => [...vault.objects.keys()].filter((name) => name.startsWith('data/')).length;

  const shared = noise(16);
  const zeros = new Uint8Array(8 * KIB);
  const gone = await store(new Uint8Array(Buffer.concat([shared, zeros, noise(384)])));
  const kept = new Uint8Array(Buffer.concat([shared, zeros, noise(8)]));
  const keptId = await store(kept);
  await repository.deletePoint(gone);
  const before = dataPacks();
  const put = vault.store.putIfAbsent.bind(vault.store);
  vi.spyOn(vault.store, 'putIfAbsent').mockImplementation(async (name, parts, options) => {
    if (name.startsWith('data/') && dataPacks() >= before) {
      throw new AppError('VAULT_FULL', 'There is no room.');
    }
    return await put(name, parts, options);
  });
  const result = await repository.collect({ graceMs: 0 });
  expect(result.copied.frames).toBeGreaterThan(0);
  expect(result.pending.packs).toBe(0);
  expect(dataPacks()).toBe(2);
  expect(sameBytes(await restore(repository, keptId, 'xvda'), kept)).toBe(true);
});

test('a store with room for some of the copies only gets more from what these were copied from', async () => {
  await using vault = await createTestVault();
  await using repository = await vault.open();
  const noise = (kib: number): Uint8Array => new Uint8Array(randomBytes(kib * KIB));
  const zeros = new Uint8Array(8 * KIB);
  const dataPacks = (): number => [...vault.objects.keys()].filter((name) => name.startsWith('data/')).length;
  // Each pack holds a stretch that stays and one that goes: none can go before something of it was copied.
  const parts = Array.from({ length: 12 }, () => [noise(36), zeros, noise(56), zeros]);
  const kept = new Uint8Array(Buffer.concat(parts.map(([stays = zeros]) => [stays, zeros]).flat()));
  const { summary: all } = await backup(repository, {
    disks: { xvda: new MemoryDisk(new Uint8Array(Buffer.concat(parts.flat()))) },
  });
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(kept) } });
  await repository.deletePoint(all.pointId);
  const before = dataPacks();
  const put = vault.store.putIfAbsent.bind(vault.store);
  vi.spyOn(vault.store, 'putIfAbsent').mockImplementation(async (name, sealed, options) => {
    if (name.startsWith('data/') && dataPacks() >= before + 2) {
      throw new AppError('VAULT_FULL', 'There is no room.');
    }
    return await put(name, sealed, options);
  });
  const { copied, pending } = await repository.collect({ graceMs: 0, minLiveShare: 0.9 });
  expect(copied.frames).toBeGreaterThan(0);
  expect(pending.packs).toBe(0);
  expect(dataPacks()).toBeLessThan(before);
  expect(sameBytes(await restore(repository, summary.pointId, 'xvda'), kept)).toBe(true);
});

test('a store without room is full, and not damaged, where another collection takes away what was to be copied', async () => {
  await using vault = await createTestVault();
  await using repository = await vault.open();
  const noise = (kib: number): Uint8Array => new Uint8Array(randomBytes(kib * KIB));
  const zeros = new Uint8Array(8 * KIB);
  const [shared, rest] = [noise(36), noise(56)];
  const { summary: all } = await backup(repository, {
    disks: { xvda: new MemoryDisk(new Uint8Array(Buffer.concat([shared, zeros, rest]))) },
  });
  await backup(repository, { disks: { xvda: new MemoryDisk(new Uint8Array(Buffer.concat([shared, zeros]))) } });
  await repository.deletePoint(all.pointId);
  const put = vault.store.putIfAbsent.bind(vault.store);
  const before = [...vault.objects.keys()].filter((name) => name.startsWith('data/'));
  vi.spyOn(vault.store, 'putIfAbsent').mockImplementation(async (name, sealed, options) => {
    if (!name.startsWith('data/')) {
      return await put(name, sealed, options);
    }
    before.forEach((each) => vault.objects.delete(each));
    throw new AppError('VAULT_FULL', 'There is no room.');
  });
  await expect(repository.collect({ graceMs: 0, minLiveShare: 1 })).rejects.toMatchObject({ code: 'VAULT_FULL' });
  expect(vault.objects.has(before[0] ?? '')).toBe(false);
});
