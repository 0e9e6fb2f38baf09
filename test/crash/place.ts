import { systemClock } from '../../src/kernel/clock.ts';
import {
  createRepository,
  DirectoryStore,
  FileKeyRing,
  openRepository,
  type Repository,
  type Store,
} from '../../src/engine/index.ts';
import { uuidToObjectId } from '../../src/engine/format/ids.ts';
import { deriveSecrets, type RepositorySecrets } from '../../src/engine/keys/key-schedule.ts';
import type { FileSystem } from '../../src/engine/stores/file-system.ts';
import { S3Store } from '../../src/engine/stores/s3-store.ts';
import { LoneLeases } from '../../src/engine/testing/lone-leases.ts';
import { SMALL_PARAMETERS } from '../../src/engine/testing/test-vault.ts';

/** A vault that several processes open. */
export interface Place {
  readonly target:
    | { readonly kind: 'directory'; readonly folder: string }
    | {
        readonly kind: 's3';
        readonly endpoint: string;
        readonly bucket: string;
        readonly prefix: string;
        readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
      };
  readonly keyFolder: string;
  readonly tenantId: string;
  readonly repositoryId: string;
}

export function storeAt({ target }: Place, files?: FileSystem): Store {
  if (target.kind === 'directory') {
    return new DirectoryStore(target.folder, files);
  }
  const { endpoint, bucket, prefix, credentials } = target;
  const patience = { attempts: 4, firstPauseMs: 5, longestPauseMs: 50, idleMs: 10_000 };
  return new S3Store({ endpoint, bucket, prefix, credentials, region: 'us-east-1', patience });
}

export function createAt(place: Place): Promise<void> {
  return createRepository({ ...common(place, storeAt(place)), parameters: SMALL_PARAMETERS });
}

/** As a process does that shares nothing with any other but the store and the keys. */
export function openAt(place: Place, store: Store = storeAt(place)): Promise<Repository> {
  return openRepository({ ...common(place, store), leases: new LoneLeases(systemClock), workers: 1 });
}

export async function secretsOf({ keyFolder, tenantId, repositoryId }: Place): Promise<RepositorySecrets> {
  const keys = await new FileKeyRing(keyFolder).getRepositoryKeys({ tenantId, repositoryId, generation: 0 });
  return deriveSecrets(keys, uuidToObjectId(repositoryId, 'repository'), 0);
}

function common({ keyFolder, tenantId, repositoryId }: Place, store: Store) {
  return { store, keyRing: new FileKeyRing(keyFolder), clock: systemClock, tenantId, repositoryId };
}
