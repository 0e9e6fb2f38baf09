import { createHash, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { AppError, isAppError } from '../../kernel/errors.ts';
import { isUuid } from '../../kernel/ids.ts';
import type { KeyRing, RepositoryKeyId, RepositoryKeys } from '../ports/key-ring.ts';
import { DirectoryStore } from '../stores/directory-store.ts';
import { unwrapKey, wrapKey } from './wrap.ts';

const KEY_BYTES = 32;
const MASTER_VERSION = 0;

/**
 * Keys in files of a folder that must never lie in a vault:
 * `<tenantId>/kek` in clear, and wrapped below it `master.<version>`, `dedup.<version>` and
 * `repositories/<repositoryId>.<generation>.<version>`, where the version is the master key's.
 * Whoever copies the folder can read the tenant's vaults; whoever loses it can't.
 */
export class FileKeyRing implements KeyRing {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async createRepositoryKeys(id: RepositoryKeyId): Promise<RepositoryKeys> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    return this.#keys(id, (files, name, make) => this.#create(files, name, make));
  }

  async getRepositoryKeys(id: RepositoryKeyId): Promise<RepositoryKeys> {
    return this.#keys(id, (files, name) => this.#read(files, name));
  }

  async #keys({ tenantId, repositoryId, generation }: RepositoryKeyId, obtain: Obtain): Promise<RepositoryKeys> {
    if (!isUuid(tenantId) || !isUuid(repositoryId)) {
      throw new AppError('BAD_INPUT', 'Keys are kept by the UUIDs of tenant and repository.');
    }
    const files = new DirectoryStore(this.#folder);
    const fresh = (): Uint8Array => randomBytes(KEY_BYTES);
    const kek = await obtain(files, `${tenantId}/kek`, fresh);
    const wrapped = async (wrapping: Uint8Array, name: string): Promise<Uint8Array> => {
      const label = `holdfast key 1 ${name}`;
      const stored = await obtain(files, name, () => wrapKey(wrapping, fresh(), label));
      try {
        return unwrapKey(wrapping, stored, label);
      } catch (error) {
        throw new AppError('KEY_MISSING', `The key ${name} does not open with the one above it.`, { cause: error });
      }
    };
    const master = await wrapped(kek, `${tenantId}/master.${MASTER_VERSION}`);
    const dedupSecret = await wrapped(master, `${tenantId}/dedup.${MASTER_VERSION}`);
    const name = `${tenantId}/repositories/${repositoryId}.${generation}.${MASTER_VERSION}`;
    const repositoryKey = await wrapped(master, name);
    const keyId = createHash('sha256').update(`${repositoryId}.${generation}`).digest('hex').slice(0, 16);
    return { keyId, repositoryKey, dedupSecret };
  }

  async #create(files: DirectoryStore, name: string, make: () => Uint8Array): Promise<Uint8Array> {
    await files.putIfAbsent(name, [make()]);
    await files.flush();
    return this.#read(files, name);
  }

  async #read(files: DirectoryStore, name: string): Promise<Uint8Array> {
    try {
      return await files.get(name);
    } catch (error) {
      if (isAppError(error, 'VAULT_OBJECT_MISSING', 'VAULT_UNREACHABLE')) {
        throw new AppError('KEY_MISSING', `The key ${name} is not in ${this.#folder}.`, { cause: error });
      }
      throw error;
    }
  }
}

type Obtain = (files: DirectoryStore, name: string, make: () => Uint8Array) => Promise<Uint8Array>;
