import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import { CondemnedLog } from '../collect/condemned-log.ts';
import { deriveSecrets } from '../keys/key-schedule.ts';
import {
  backup,
  createTestVault,
  MemoryDisk,
  restore,
  sameBytes,
  SMALL_PARAMETERS,
  type TestVault,
} from '../testing/test-vault.ts';
import type { Repository } from '../repository.ts';

const data = new Uint8Array(randomBytes(4 * SMALL_PARAMETERS.segmentBytes));

let vault: TestVault;
let repository: Repository;

beforeEach(async () => {
  vault = await createTestVault();
  repository = await vault.open(undefined, 1);
});

afterEach(async () => {
  await repository[Symbol.asyncDispose]();
  await vault[Symbol.asyncDispose]();
});

function dataPacks(): string[] {
  return [...vault.objects.keys()].filter((name) => name.startsWith('data/'));
}

async function browse(from: Repository, pointId: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(data.length);
  for await (const piece of from.readDisk({ pointId, diskKey: 'xvda' })) {
    bytes.set(piece.data ?? new Uint8Array(piece.length), piece.offset);
  }
  return bytes;
}

describe('a chunk that is not where the manifest says', () => {
  test('is found where a later backup stored it again', async () => {
    const first = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
    const [lost = ''] = dataPacks();
    vault.objects.delete(lost);
    await using later = await vault.open(undefined, 1);
    await expect(restore(later, first.summary.pointId, 'xvda')).rejects.toThrow(lost);
    await using writer = await vault.open(undefined, 1);
    const second = await backup(writer, { disks: { xvda: new MemoryDisk(data) } });
    expect(second.disks[0]?.chunksNew).toBeGreaterThan(0);
    for (const { summary } of [first, second]) {
      expect(sameBytes(await restore(writer, summary.pointId, 'xvda'), data)).toBe(true);
      expect(sameBytes(await restore(later, summary.pointId, 'xvda'), data)).toBe(true);
      expect(sameBytes(await browse(later, summary.pointId), data)).toBe(true);
    }
  });

  test('is looked for again when its pack went after its table was read', async () => {
    const first = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
    expect(sameBytes(await browse(repository, first.summary.pointId), data)).toBe(true);
    vault.objects.delete(dataPacks()[1] ?? '');
    await using writer = await vault.open(undefined, 1);
    await backup(writer, { disks: { xvda: new MemoryDisk(data) } });
    expect(sameBytes(await browse(repository, first.summary.pointId), data)).toBe(true);
  });

  test('is read from a condemned pack where it is in no other', async () => {
    const first = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
    vault.objects.delete(dataPacks()[0] ?? '');
    const before = new Set(dataPacks());
    await using writer = await vault.open(undefined, 1);
    await backup(writer, { disks: { xvda: new MemoryDisk(data) } });
    const added = dataPacks().filter((name) => !before.has(name));
    const { tenantId, repositoryId } = vault;
    const keys = await vault.keyRing.getRepositoryKeys({ tenantId, repositoryId, generation: 0 });
    const secrets = deriveSecrets(keys, repositoryId.replaceAll('-', ''), 0);
    const log = new CondemnedLog(vault.store, secrets, systemClock);
    await log.append(
      'unused',
      added.map((name) => name.slice(-32)),
    );
    for (const from of [writer, await vault.open(undefined, 1)]) {
      await using reader = from;
      expect(sameBytes(await restore(reader, first.summary.pointId, 'xvda'), data)).toBe(true);
    }
  });

  test('and nowhere else is named as lost, by the pack of the manifest', async () => {
    const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
    const [lost = ''] = dataPacks();
    vault.objects.delete(lost);
    await using reader = await vault.open(undefined, 1);
    await expect(browse(reader, summary.pointId)).rejects.toMatchObject({
      code: 'VAULT_CORRUPT',
      data: { object: lost },
    });
  });
});
