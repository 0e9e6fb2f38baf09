import { systemClock } from '../kernel/clock.ts';
import { throwIfAborted } from '../kernel/abort.ts';
import { isAppError } from '../kernel/errors.ts';
import { createRepository, DirectoryStore, openRepository, type Repository } from '../engine/index.ts';
import type { VaultAccess } from './access.ts';
import type { VaultCall } from './port.ts';
import { SharedResource } from './shared-resource.ts';
import { makeVaultFolder } from './vault-folder.ts';

const LINGER_MS = 5000;

/** How much of this machine an open vault may take; the engine's own measure where absent. */
export interface VaultLimits {
  readonly workers?: number;
  readonly memoryBudgetBytes?: number;
}

/** Vaults that are open now: one repository, with its threads, for all that runs on it at the same time. */
export class Vaults {
  readonly #shared = new SharedResource<string, Repository>(
    async (repository) => repository[Symbol.asyncDispose](),
    LINGER_MS,
  );

  readonly #limits: VaultLimits;

  constructor(limits: VaultLimits = {}) {
    this.#limits = limits;
  }

  /** Makes the repository, or finds that it is there. */
  async create(vault: VaultAccess, { keyRing }: VaultCall): Promise<void> {
    await makeVaultFolder(vault.location);
    await createRepository({
      store: storeOf(vault),
      keyRing,
      tenantId: vault.tenantId,
      repositoryId: vault.vaultId,
    });
  }

  async use<T>(vault: VaultAccess, call: VaultCall, work: (repository: Repository) => Promise<T>): Promise<T> {
    throwIfAborted(call.signal);
    return this.#shared.use(keyOf(vault), async () => open(vault, call, this.#limits), work, {
      isBroken,
      signal: call.signal,
    });
  }

  async close(): Promise<void> {
    await this.#shared.close();
  }
}

async function open(vault: VaultAccess, { keyRing, leases }: VaultCall, limits: VaultLimits): Promise<Repository> {
  return openRepository({
    ...limits,
    store: storeOf(vault),
    keyRing,
    leases,
    clock: systemClock,
    tenantId: vault.tenantId,
    repositoryId: vault.vaultId,
  });
}

function storeOf({ location }: VaultAccess): DirectoryStore {
  return new DirectoryStore(location.path);
}

function isBroken(error: unknown): boolean {
  return isAppError(error, 'KEY_MISSING', 'KEY_DESTROYED', 'VAULT_UNREACHABLE');
}

function keyOf({ tenantId, vaultId, location }: VaultAccess): string {
  return JSON.stringify([tenantId, vaultId, location.kind, location.path]);
}
