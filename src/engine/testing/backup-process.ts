import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../kernel/clock.ts';
import { createRepository } from '../create-repository.ts';
import { FileKeyRing } from '../keys/file-key-ring.ts';
import { openRepository } from '../open-repository.ts';
import { MemoryLeases } from '../sessions/memory-leases.ts';
import { DirectoryStore } from '../stores/directory-store.ts';
import type { Repository } from '../types.ts';
import { backup, MemoryDisk, SMALL_PARAMETERS } from './test-vault.ts';

/** Where a backup in a process of its own goes, and as what. */
export interface ProcessBackup {
  readonly storeFolder: string;
  readonly keyFolder: string;
  readonly tenantId: string;
  readonly repositoryId: string;
  readonly sessionId: string;
  readonly pointId: string;
  readonly diskBytes: number;
  /** How long each read of the disk takes, so that there is time to be killed. */
  readonly readDelayMs: number;
}

/** Noise, the same for everybody, no block like another. */
export function makeDisk(bytes: number): Uint8Array {
  const data = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 32) {
    data.set(
      createHash('sha256')
        .update(String(at))
        .digest()
        .subarray(0, bytes - at),
      at,
    );
  }
  return data;
}

export async function openForProcess(request: ProcessBackup): Promise<Repository> {
  const { tenantId, repositoryId } = request;
  const store = new DirectoryStore(request.storeFolder);
  const keyRing = new FileKeyRing(request.keyFolder);
  const common = { store, keyRing, clock: systemClock, tenantId, repositoryId };
  await createRepository({ ...common, parameters: SMALL_PARAMETERS });
  return openRepository({ ...common, leases: new MemoryLeases(systemClock), workers: 1 });
}

class SlowDisk extends MemoryDisk {
  readonly #delayMs: number;

  constructor(data: Uint8Array, delayMs: number) {
    super(data);
    this.#delayMs = delayMs;
  }

  override async read(offset: number, into: Uint8Array): Promise<void> {
    await delay(this.#delayMs);
    await super.read(offset, into);
  }
}

if (import.meta.main) {
  const request = JSON.parse(process.argv[2] ?? '') as ProcessBackup;
  await using repository = await openForProcess(request);
  const disk = new SlowDisk(makeDisk(request.diskBytes), request.readDelayMs);
  await backup(repository, { ...request, disks: { xvda: disk } });
}
