import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DirectoryStore } from './stores/directory-store.ts';
import { makeDisk, openForProcess, type ProcessBackup } from './testing/backup-process.ts';
import { backup, MemoryDisk, restore, sameBytes, SMALL_PARAMETERS } from './testing/test-vault.ts';

const PROGRAM = fileURLToPath(new URL('./testing/backup-process.ts', import.meta.url));
const SEGMENTS = 24;

interface StoredPack {
  readonly name: string;
  readonly inode: number;
}

async function listPacks(folder: string): Promise<StoredPack[]> {
  const packs: StoredPack[] = [];
  for await (const { name } of new DirectoryStore(folder).list('data/')) {
    packs.push({ name, inode: (await stat(join(folder, name))).ino });
  }
  return packs;
}

/** Runs a backup in a process of its own and kills it, without warning, once it has stored so many packs. */
async function killAfterPacks(request: Omit<ProcessBackup, 'packs'>, packs: number): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify({ ...request, packs })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  await Promise.race([once(child.stdout, 'data'), exited]);
  child.kill('SIGKILL');
  const [, signal] = (await exited) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
}

test('a process that is killed leaves whole what there was, and the next one goes on from its journal', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-killed-'));
  const storeFolder = join(folder, 'store');
  await mkdir(storeFolder);
  const { segmentBytes } = SMALL_PARAMETERS;
  const request = {
    storeFolder,
    keyFolder: join(folder, 'keys'),
    tenantId: randomUUID(),
    repositoryId: randomUUID(),
    sessionId: randomUUID(),
    pointId: randomUUID(),
    diskBytes: SEGMENTS * segmentBytes,
  };
  try {
    for (const packs of [3, 6]) {
      await killAfterPacks(request, packs);
    }
    const before = await listPacks(storeFolder);
    await using repository = await openForProcess(request);
    for await (const point of repository.listPoints()) {
      throw new Error(`half a restore point is listed: ${point.pointId}`);
    }
    const disk = new MemoryDisk(makeDisk(request.diskBytes));
    const { summary, disks } = await backup(repository, { ...request, disks: { xvda: disk } });

    expect(disks[0]?.resumed).toBe(true);
    expect(disk.bytesRead).toBeLessThanOrEqual(request.diskBytes - 5 * segmentBytes);
    const after = await listPacks(storeFolder);
    expect(after).toEqual(expect.arrayContaining(before));
    const { storedBytes } = await repository.stats();
    expect(storedBytes).toBeLessThan(request.diskBytes * 1.05);
    expect(sameBytes(await restore(repository, summary.pointId, 'xvda'), disk.data)).toBe(true);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
