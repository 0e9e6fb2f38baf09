import { createHash } from 'node:crypto';
import { systemClock, type Clock } from '../../kernel/clock.ts';
import { AppError, isAppError } from '../../kernel/errors.ts';
import { requireUuid } from '../format/ids.ts';
import type { DestructionStatement, KeyCustody, KeyRing, RepositoryKeyId, RepositoryKeys } from '../ports/key-ring.ts';
import { destroyKeys, eraseAll, findDestruction, requireNotDestroyed } from './destroy-keys.ts';
import { KeyChain } from './key-chain.ts';
import { KeyFolder, type KeyFiles } from './key-files.ts';
import { dedupBase, repositoryBase } from './key-names.ts';
import { rotateKek, rotateMaster } from './rotate-keys.ts';

/**
 * Keys in files of a folder that must never lie in a vault: the tenant's key-encryption key in clear, everything else
 * wrapped with the key above it (docs/vault-format.md says the names). Whoever copies the folder can read the tenants'
 * vaults; whoever loses it can't. Several processes may use it at once, during rotations too.
 */
export class FileKeyRing implements KeyRing, KeyCustody {
  readonly #files: KeyFiles;
  readonly #clock: Clock;

  constructor(folder: string, options: { readonly clock?: Clock; readonly files?: KeyFiles } = {}) {
    this.#files = options.files ?? new KeyFolder(folder);
    this.#clock = options.clock ?? systemClock;
  }

  async createRepositoryKeys(id: RepositoryKeyId): Promise<RepositoryKeys> {
    requireIds(id);
    await this.#files.make();
    return this.#change(id.tenantId, (chain) => assemble(id, (base) => chain.findOrMake(base)));
  }

  async getRepositoryKeys(id: RepositoryKeyId): Promise<RepositoryKeys> {
    requireIds(id);
    try {
      await requireNotDestroyed(this.#files, id.tenantId);
      const chain = new KeyChain(this.#files, id.tenantId);
      return await assemble(id, async (base) => (await chain.find(base)) ?? this.#missing(base));
    } catch (error) {
      throw isAppError(error, 'VAULT_UNREACHABLE') && error.data['errno'] === 'ENOENT'
        ? missing(id.tenantId, this.#files, error)
        : error;
    }
  }

  async rotateKeyEncryptionKey(tenantId: string): Promise<void> {
    requireUuid(tenantId, 'tenant');
    await this.#change(tenantId, (chain) => rotateKek(this.#files, chain));
  }

  async rotateMasterKey(tenantId: string): Promise<void> {
    requireUuid(tenantId, 'tenant');
    await this.#change(tenantId, (chain) => rotateMaster(this.#files, chain));
  }

  async destroyTenantKeys(tenantId: string): Promise<DestructionStatement> {
    requireUuid(tenantId, 'tenant');
    return destroyKeys(this.#files, tenantId, this.#clock.now());
  }

  /** What ends after a destruction was decided must leave nothing behind. */
  async #change<T>(tenantId: string, work: (chain: KeyChain) => Promise<T>): Promise<T> {
    await requireNotDestroyed(this.#files, tenantId);
    try {
      return await work(new KeyChain(this.#files, tenantId));
    } finally {
      if ((await findDestruction(this.#files, tenantId)) !== null) {
        await eraseAll(this.#files, tenantId);
        await requireNotDestroyed(this.#files, tenantId);
      }
    }
  }

  #missing(name: string): never {
    throw missing(name, this.#files);
  }
}

async function assemble(
  { tenantId, repositoryId, generation }: RepositoryKeyId,
  obtain: (base: string) => Promise<Uint8Array>,
): Promise<RepositoryKeys> {
  const repositoryKey = await obtain(repositoryBase(tenantId, repositoryId, generation));
  const dedupSecret = await obtain(dedupBase(tenantId));
  const keyId = createHash('sha256').update(`${repositoryId}.${generation}`).digest('hex').slice(0, 16);
  return { keyId, repositoryKey, dedupSecret };
}

function requireIds({ tenantId, repositoryId }: RepositoryKeyId): void {
  requireUuid(tenantId, 'tenant');
  requireUuid(repositoryId, 'repository');
}

function missing(what: string, files: KeyFiles, cause?: unknown): AppError {
  return new AppError('KEY_MISSING', `The key ${what} is not in ${files.description}.`, { cause });
}
