import type { Repository, RepositoryStats } from '../engine/index.ts';
import { toAppError } from '../kernel/errors.ts';
import { probePool } from '../xen/probe-pool.ts';
import { readInventory } from '../xen/read-inventory.ts';
import { snapshotVm } from '../xen/snapshot-vm.ts';
import type { XapiConnection } from '../xen/xapi-connection.ts';
import type { ClosedVault, NewPoolAccess, PoolAccess, VaultAccess } from './access.ts';
import { backupDisk } from './backup-disk.ts';
import { cleanUpBackup } from './clean-up-backup.ts';
import { cleanUpRestore } from './clean-up-restore.ts';
import { commitRestorePoint } from './commit-restore-point.ts';
import { createVm } from './create-vm.ts';
import { finishRestore } from './finish-restore.ts';
import { planBackup } from './plan-backup.ts';
import { planRestore } from './plan-restore.ts';
import { PoolConnections } from './pool-connections.ts';
import type * as port from './port.ts';
import { recoverCatalog } from './recover-catalog.ts';
import { restoreDisk } from './restore-disk.ts';
import { type VaultLimits, Vaults } from './vaults.ts';

/** The mover in this process: opens pools and vaults for each command, shares what runs at the same time. */
export class LocalMover implements port.MoverPort {
  readonly #pools = new PoolConnections();
  readonly #vaults: Vaults;

  constructor(limits: VaultLimits = {}) {
    this.#vaults = new Vaults(limits);
  }

  async probePool({ pool }: { readonly pool: NewPoolAccess }, call: port.MoverCall): Promise<port.PoolProbe> {
    return this.#onPool(pool, call, async (connection) => probePool(connection, call.signal));
  }

  async readInventory({ pool }: { readonly pool: PoolAccess }, call: port.MoverCall): Promise<port.InventorySnapshot> {
    return this.#onPool(pool, call, async (connection) => readInventory(connection, call.signal));
  }

  async createVault({ vault }: { readonly vault: VaultAccess }, call: port.VaultCall): Promise<void> {
    await this.#vaults.create(vault, call);
  }

  async readVaultStats({ vault }: { readonly vault: VaultAccess }, call: port.VaultCall): Promise<RepositoryStats> {
    return this.#vaults.use(vault, call, async (repository) => repository.stats());
  }

  async recoverCatalog(
    { vault }: { readonly vault: VaultAccess },
    call: port.VaultCall,
  ): Promise<port.RecoveredCatalog> {
    return this.#vaults.use(vault, call, async (repository) => recoverCatalog(repository));
  }

  async planBackup(command: port.PlanBackupCommand, call: port.VaultCall): Promise<port.BackupPlan> {
    return this.#onBoth(command, call, async (connection, repository) =>
      planBackup(connection, repository, command, call.signal),
    );
  }

  async snapshotVm(command: port.SnapshotVmCommand, call: port.MoverCall): Promise<port.SnapshotResult> {
    return this.#onPool(command.pool, call, async (connection) => snapshotVm(connection, command, call.signal));
  }

  async backupDisk(command: port.BackupDiskCommand, call: port.VaultCall): Promise<port.DiskBackupResult> {
    return this.#onBoth(command, call, async (connection, repository) =>
      backupDisk(connection, repository, command, call),
    );
  }

  async commitRestorePoint(
    command: port.CommitRestorePointCommand,
    call: port.VaultCall,
  ): Promise<port.CommittedRestorePoint> {
    return this.#onBoth(command, call, async (connection, repository) =>
      commitRestorePoint(connection, repository, command, call.signal),
    );
  }

  async cleanUpBackup(command: port.CleanUpBackupCommand, call: port.VaultCall): Promise<port.CleanUpResult> {
    return this.#onPool(command.pool, call, async (connection) =>
      cleanUpBackup(connection, this.#opening(command.vault, call), command),
    );
  }

  async planRestore(command: port.PlanRestoreCommand, call: port.VaultCall): Promise<port.RestorePlan> {
    return this.#onBoth(command, call, async (connection, repository) =>
      planRestore(connection, repository, command, call.signal),
    );
  }

  async createVm(command: port.CreateVmCommand, call: port.VaultCall): Promise<port.CreatedVm> {
    return this.#onBoth(command, call, async (connection, repository) =>
      createVm(connection, repository, command, call.signal),
    );
  }

  async restoreDisk(command: port.RestoreDiskCommand, call: port.VaultCall): Promise<port.DiskRestoreResult> {
    return this.#onBoth(command, call, async (connection, repository) =>
      restoreDisk(connection, repository, command, call),
    );
  }

  async finishRestore(command: port.FinishRestoreCommand, call: port.MoverCall): Promise<port.FinishedRestore> {
    return this.#onPool(command.pool, call, async (connection) => finishRestore(connection, command));
  }

  async cleanUpRestore(command: port.CleanUpRestoreCommand, call: port.VaultCall): Promise<port.CleanUpResult> {
    return this.#onPool(command.pool, call, async (connection) =>
      cleanUpRestore(connection, this.#opening(command.vault, call), command),
    );
  }

  async close(): Promise<void> {
    await Promise.all([this.#pools.close(), this.#vaults.close()]);
  }

  /** Null where there is nothing to open any more. */
  #opening(vault: VaultAccess | ClosedVault, call: port.VaultCall) {
    return vault.location === null
      ? null
      : async <T>(work: (repository: Repository) => Promise<T>): Promise<T> => this.#vaults.use(vault, call, work);
  }

  async #onPool<T>(
    pool: NewPoolAccess,
    { signal }: port.MoverCall,
    work: (connection: XapiConnection) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.#pools.use(pool, signal, work);
    } catch (error) {
      throw toAppError(error);
    }
  }

  async #onBoth<T>(
    { pool, vault }: { readonly pool: PoolAccess; readonly vault: VaultAccess },
    call: port.VaultCall,
    work: (connection: XapiConnection, repository: Repository) => Promise<T>,
  ): Promise<T> {
    return this.#onPool(pool, call, async (connection) =>
      this.#vaults.use(vault, call, async (repository) => work(connection, repository)),
    );
  }
}
