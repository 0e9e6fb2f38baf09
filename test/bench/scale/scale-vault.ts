import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createRepository,
  DirectoryStore,
  FileKeyRing,
  MemoryLeases,
  openRepository,
  type OpenRepositoryOptions,
} from '../../../src/engine/index.ts';
import { uuidToObjectId } from '../../../src/engine/format/ids.ts';
import { deriveSecrets, type RepositorySecrets } from '../../../src/engine/keys/key-schedule.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { CHUNKS_PER_PACK, GeneratedStore, setChunks } from './generated-store.ts';

const IDS = {
  tenantId: '6f0a3c52-0d0e-4b63-9a50-3f1f4f6a1c01',
  repositoryId: '6f0a3c52-0d0e-4b63-9a50-3f1f4f6a1c02',
} as const;

export interface ScaleVault {
  readonly store: GeneratedStore;
  readonly secrets: RepositorySecrets;
  readonly options: OpenRepositoryOptions;
}

/** A vault in a folder, as large as its generated packs say; made if it is not there. */
export async function openScaleVault(folder: string, chunks: number): Promise<ScaleVault> {
  setChunks(chunks);
  await mkdir(join(folder, 'store'), { recursive: true });
  const keyRing = new FileKeyRing(join(folder, 'keys'));
  const directory = new DirectoryStore(join(folder, 'store'));
  const common = { ...IDS, keyRing, clock: systemClock };
  await createRepository({ ...common, store: directory });
  const keys = await keyRing.getRepositoryKeys({ ...IDS, generation: 0 });
  const secrets = deriveSecrets(keys, uuidToObjectId(IDS.repositoryId, 'repository'), 0);
  const store = new GeneratedStore(directory, Math.ceil(chunks / CHUNKS_PER_PACK), () => secrets);
  return { store, secrets, options: { ...common, store, leases: new MemoryLeases(systemClock), workers: 2 } };
}

export { openRepository };

export function peakMb(): number {
  return (process.resourceUsage().maxRSS * 1024) / 1e6;
}
