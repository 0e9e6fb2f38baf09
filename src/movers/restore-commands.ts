import type { ClosedVault, PoolAccess, VaultAccess } from './access.ts';

/** Where a VM's parts go in the target pool. */
export interface Placement {
  /** For every disk that `disks` doesn't name. */
  readonly defaultSrUuid: string;
  /** SR by disk key (`RestoreDisk.diskKey`). */
  readonly disks: Readonly<Record<string, string>>;
  /** Target network's UUID by the source network's UUID; null leaves the interface out. */
  readonly networks: Readonly<Record<string, string | null>>;
  /** For every source network that `networks` doesn't name; absent: NETWORK_NOT_MAPPED. */
  readonly otherNetworks?: string | null;
}

export interface PlanRestoreCommand {
  readonly pool: PoolAccess;
  readonly vault: VaultAccess;
  readonly restorePointId: string;
  readonly placement: Placement;
}

export interface RestoreDisk {
  /** Names the disk inside its restore point: the UUID it had in the source pool. */
  readonly diskKey: string;
  readonly name: string;
  readonly device: string;
  readonly sizeBytes: number;
  readonly srUuid: string;
}

export interface RestorePlan {
  readonly restorePointId: string;
  readonly vmName: string;
  readonly disks: readonly RestoreDisk[];
  readonly totalBytes: number;
  readonly interfaces: readonly {
    readonly device: string;
    readonly sourceNetworkName: string;
    readonly networkUuid: string | null;
  }[];
  /** What the target pool can't hold; the restore goes on without it. */
  readonly warnings: readonly string[];
}

export interface CreateVmCommand extends PlanRestoreCommand {
  readonly jobId: string;
  /** Name of the new VM; null keeps the source's. */
  readonly name: string | null;
}

export interface CreatedDisk extends RestoreDisk {
  readonly vdiUuid: string;
}

export interface CreatedVm {
  readonly vmUuid: string;
  readonly vmName: string;
  readonly disks: readonly CreatedDisk[];
}

export interface RestoreDiskCommand {
  readonly pool: PoolAccess;
  readonly vault: VaultAccess;
  readonly restorePointId: string;
  readonly jobId: string;
  readonly disk: CreatedDisk;
}

export interface DiskRestoreResult {
  readonly diskKey: string;
  readonly vdiUuid: string;
  readonly sizeBytes: number;
  /** Sent to the pool, without framing. */
  readonly bytesWritten: number;
  /** Holes that needed no writing. */
  readonly bytesSkipped: number;
}

export interface FinishRestoreCommand {
  readonly pool: PoolAccess;
  readonly jobId: string;
  readonly vmUuid: string;
}

export interface FinishedRestore {
  readonly vmUuid: string;
  readonly vmName: string;
  readonly powerState: string;
  readonly interfaces: readonly { readonly device: string; readonly mac: string; readonly networkUuid: string }[];
  readonly disks: readonly { readonly device: string; readonly vdiUuid: string }[];
}

export interface CleanUpRestoreCommand {
  readonly pool: PoolAccess;
  /** The pool is cleaned also where the vault can't be opened any more. */
  readonly vault: VaultAccess | ClosedVault;
  readonly restorePointId: string;
  readonly jobId: string;
}
