import type { KeyRing, Leases, RepositoryStats } from '../engine/index.ts';
import type { InventorySnapshot, PoolProbe } from '../xen/model.ts';
import type { NewPoolAccess, PoolAccess, VaultAccess } from './access.ts';
import type { RecoveredCatalog } from './recover-catalog.ts';
import type {
  BackupDiskCommand,
  BackupPlan,
  CleanUpBackupCommand,
  CleanUpResult,
  CommitRestorePointCommand,
  CommittedRestorePoint,
  DiskBackupResult,
  PlanBackupCommand,
  SnapshotResult,
  SnapshotVmCommand,
} from './backup-commands.ts';
import type {
  CleanUpRestoreCommand,
  CreatedVm,
  CreateVmCommand,
  DiskRestoreResult,
  FinishedRestore,
  FinishRestoreCommand,
  PlanRestoreCommand,
  RestoreDiskCommand,
  RestorePlan,
} from './restore-commands.ts';

export type * from './access.ts';
export type * from './backup-commands.ts';
export type * from './recover-catalog.ts';
export type * from './restore-commands.ts';
export type * from '../xen/model.ts';

/** Bytes of one disk so far; `total` is what this run has to read (changed blocks only, where they are known). */
export interface MoverProgress {
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly bytesRead: number;
  readonly bytesStored: number;
}

/** What goes along with a command and is not part of the message: the live side of one attempt. */
export interface MoverCall {
  /** Aborting stops everything promptly and leaves no socket, task or attachment behind. */
  readonly signal: AbortSignal;
  /** At most once a second. */
  readonly onProgress?: (progress: MoverProgress) => void;
}
/** A call that opens the vault: keys and leases are asked for through the port. */
export interface VaultCall extends MoverCall {
  readonly keyRing: KeyRing;
  readonly leases: Leases;
}

/**
 * How activities speak to a mover, in process today. Commands and answers are plain JSON; everything is safe to
 * repeat: a second call with the same ids finds what the first one made. Errors are AppErrors.
 */
export interface MoverPort {
  probePool(command: { readonly pool: NewPoolAccess }, call: MoverCall): Promise<PoolProbe>;
  readInventory(command: { readonly pool: PoolAccess }, call: MoverCall): Promise<InventorySnapshot>;

  /** Makes the vault's repository, or finds that it is there. */
  createVault(command: { readonly vault: VaultAccess }, call: VaultCall): Promise<void>;
  readVaultStats(command: { readonly vault: VaultAccess }, call: VaultCall): Promise<RepositoryStats>;

  /** Fences whatever began before, then tells what the vault holds: for the recovery of a control plane. */
  recoverCatalog(command: { readonly vault: VaultAccess }, call: VaultCall): Promise<RecoveredCatalog>;

  planBackup(command: PlanBackupCommand, call: VaultCall): Promise<BackupPlan>;
  snapshotVm(command: SnapshotVmCommand, call: MoverCall): Promise<SnapshotResult>;
  backupDisk(command: BackupDiskCommand, call: VaultCall): Promise<DiskBackupResult>;
  commitRestorePoint(command: CommitRestorePointCommand, call: VaultCall): Promise<CommittedRestorePoint>;
  cleanUpBackup(command: CleanUpBackupCommand, call: VaultCall): Promise<CleanUpResult>;

  planRestore(command: PlanRestoreCommand, call: VaultCall): Promise<RestorePlan>;
  createVm(command: CreateVmCommand, call: VaultCall): Promise<CreatedVm>;
  restoreDisk(command: RestoreDiskCommand, call: VaultCall): Promise<DiskRestoreResult>;
  finishRestore(command: FinishRestoreCommand, call: MoverCall): Promise<FinishedRestore>;
  cleanUpRestore(command: CleanUpRestoreCommand, call: VaultCall): Promise<CleanUpResult>;

  /** Ends what the mover keeps open between calls. */
  close(): Promise<void>;
}
