import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { systemClock } from '../../kernel/clock.ts';
import { createRepository } from '../create-repository.ts';
import { FileKeyRing } from '../keys/file-key-ring.ts';
import { openRepository } from '../open-repository.ts';
import type { Store } from '../ports/store.ts';
import { MemoryLeases } from '../sessions/memory-leases.ts';
import { DirectoryStore } from '../stores/directory-store.ts';
import type { Repository } from '../repository.ts';
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
  /** When it has stored so many, it says `reached` and reads no more until its input ends. */
  readonly packs: number;
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

/** Counts the data packs that it has stored. */
class CountingStore extends DirectoryStore {
  packs = 0;

  override async putIfAbsent(
    ...put: Parameters<DirectoryStore['putIfAbsent']>
  ): ReturnType<DirectoryStore['putIfAbsent']> {
    const outcome = await super.putIfAbsent(...put);
    this.packs += put[0].startsWith('data/') ? 1 : 0;
    return outcome;
  }
}

export async function openForProcess(
  request: Omit<ProcessBackup, 'packs'>,
  store: Store = new DirectoryStore(request.storeFolder),
): Promise<Repository> {
  const { tenantId, repositoryId } = request;
  const keyRing = new FileKeyRing(request.keyFolder);
  const common = { store, keyRing, clock: systemClock, tenantId, repositoryId };
  await createRepository({ ...common, parameters: SMALL_PARAMETERS });
  return openRepository({ ...common, leases: new MemoryLeases(systemClock), workers: 1 });
}

/** Its buffers let a writer read only a little ahead of what it stores: there is always a read left to be held. */
class HeldDisk extends MemoryDisk {
  readonly #isReached: () => boolean;

  constructor(data: Uint8Array, isReached: () => boolean) {
    super(data);
    this.#isReached = isReached;
  }

  override async read(offset: number, into: Uint8Array): Promise<void> {
    if (this.#isReached()) {
      process.stdout.write('reached\n');
      await once(process.stdin.resume(), 'end');
    }
    await super.read(offset, into);
  }
}

if (import.meta.main) {
  const request = JSON.parse(process.argv[2] ?? '') as ProcessBackup;
  const store = new CountingStore(request.storeFolder);
  await using repository = await openForProcess(request, store);
  const disk = new HeldDisk(makeDisk(request.diskBytes), () => store.packs >= request.packs);
  await backup(repository, { ...request, disks: { xvda: disk } });
}
