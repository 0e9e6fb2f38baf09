import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isAppError } from '../../kernel/errors.ts';
import { KIB } from '../../kernel/bytes.ts';
import { systemClock } from '../../kernel/clock.ts';
import { createRepository } from '../create-repository.ts';
import { FileKeyRing } from '../keys/file-key-ring.ts';
import { openRepository } from '../open-repository.ts';
import { MemoryLeases } from '../sessions/memory-leases.ts';
import { SmallDisk } from '../testing/small-disk.ts';
import { backup, MemoryDisk, restore, sameBytes, SMALL_PARAMETERS } from '../testing/test-vault.ts';
import type { Repository } from '../repository.ts';
import { DirectoryStore } from './directory-store.ts';

vi.mock('../worker/lane.ts', () => import('../testing/inline-lane.ts'));

const BLOCKS = 1024;
let folder: string;
let repository: Repository;
let disk: SmallDisk;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-full-'));
  await mkdir(join(folder, 'store'));
  disk = new SmallDisk(BLOCKS);
  const store = new DirectoryStore(join(folder, 'store'), disk.files);
  const ids = { tenantId: randomUUID(), repositoryId: randomUUID(), clock: systemClock };
  const keyRing = new FileKeyRing(join(folder, 'keys'));
  await createRepository({ store, keyRing, ...ids, parameters: SMALL_PARAMETERS });
  repository = await openRepository({ store, keyRing, ...ids, leases: new MemoryLeases(systemClock), workers: 1 });
});

afterEach(async () => {
  await repository[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Null where the vault has no room for it. */
async function backUp(bytes: number): Promise<{ readonly pointId: string; readonly data: Uint8Array } | null> {
  const data = new Uint8Array(randomBytes(bytes));
  const sessionId = randomUUID();
  try {
    const { summary } = await backup(repository, { sessionId, disks: { xvda: new MemoryDisk(data) } });
    return { pointId: summary.pointId, data };
  } catch (error) {
    if (!isAppError(error, 'VAULT_FULL')) {
      throw error;
    }
    return null;
  } finally {
    await repository.endSession(sessionId);
  }
}

test('a directory that backups have filled to the last byte lets points be deleted and their space come back', async () => {
  const points = [];
  for (let bytes = 1024 * KIB; bytes >= KIB;) {
    const point = await backUp(bytes);
    if (point === null) {
      bytes /= 2;
    } else {
      points.push(point);
    }
  }
  const [gone, ...kept] = points;
  const before = disk.freeBlocks;
  await repository.deletePoint(gone?.pointId ?? '');
  const { pending } = await repository.collect({ graceMs: 0 });
  expect(pending.packs).toBe(0);
  expect(disk.freeBlocks - before).toBeGreaterThan((1024 * KIB) / 4096);
  for (const { pointId, data } of kept) {
    expect(sameBytes(await restore(repository, pointId, 'xvda'), data)).toBe(true);
  }
  expect(await backUp(1024 * KIB)).not.toBeNull();
});
