import type { CleanedUp } from './backup.ts';
import type { JobInput, JobRef } from './jobs.ts';

/** The pool a VM is placed in: the tenant's own, or one it holds a grant for. */
export interface PoolTarget {
  readonly poolOwnerId: string;
  readonly poolId: string;
  readonly poolGrantId: string | null;
}

export interface NetworkRule {
  /** UUID of a network of the source pool; null stands for all that no other rule names. */
  readonly from: string | null;
  /** Null leaves the interface out. */
  readonly toNetworkId: string | null;
}

export interface RestoreVmInput extends JobInput {
  readonly restorePointId: string;
  readonly vaultId: string;
  readonly target: PoolTarget;
  readonly srId: string;
  readonly networkMap: readonly NetworkRule[];
  /** Null keeps the source's name. */
  readonly name: string | null;
}

export interface ReplicateVmInput extends JobInput {
  readonly replicationPlanId: string;
  /** Null: the newest one of the plan's VM in the plan's vault. */
  readonly restorePointId: string | null;
}

/** Where a VM's parts go, in the target pool's own names. */
export interface Placement {
  readonly defaultSrUuid: string;
  readonly disks: Readonly<Record<string, string>>;
  readonly networks: Readonly<Record<string, string | null>>;
  /** For every network that `networks` doesn't name; absent: such a network is refused. */
  readonly otherNetworks?: string | null;
}

/** What names a restore at every step. */
export interface RestoreRef extends JobRef {
  readonly restorePointId: string;
  readonly vaultId: string;
  readonly target: PoolTarget;
}

/** Says where the restore goes, once; resolved and checked against the grant. */
export interface PreparedRestore {
  readonly siteQueue: string;
  readonly restorePointId: string;
  readonly vaultId: string;
  readonly target: PoolTarget;
  readonly placement: Placement;
  readonly name: string | null;
}

export interface PrepareReplicationInput extends JobRef {
  readonly replicationPlanId: string;
  readonly restorePointId: string | null;
}

export type PrepareRestoreInput = Omit<RestoreVmInput, 'patience'>;

export interface PlanRestoreInput extends RestoreRef {
  readonly placement: Placement;
}

export interface PlannedRestore {
  readonly totalBytes: number;
  readonly warnings: readonly string[];
}

export interface CreateVmInput extends PlanRestoreInput {
  readonly name: string | null;
}

export interface CreatedDisk {
  readonly diskKey: string;
  readonly name: string;
  readonly device: string;
  readonly sizeBytes: number;
  readonly srUuid: string;
  readonly vdiUuid: string;
}

export interface CreatedVm {
  readonly vmUuid: string;
  readonly vmName: string;
  readonly disks: readonly CreatedDisk[];
}

export interface RestoreDiskInput extends RestoreRef {
  readonly disk: CreatedDisk;
}

/** All byte counts in bytes. */
export interface RestoredDisk {
  readonly diskKey: string;
  readonly vdiUuid: string;
  readonly sizeBytes: number;
  readonly bytesWritten: number;
  readonly bytesSkipped: number;
}

export interface FinishRestoreInput extends RestoreRef {
  readonly vmUuid: string;
}

export interface RestoredVm {
  readonly vmUuid: string;
  readonly vmName: string;
  readonly powerState: string;
}

export interface RecordRestoreInput extends RestoreRef {
  readonly vm: RestoredVm;
  readonly disks: readonly RestoredDisk[];
}

export interface RecordReplicaInput extends RecordRestoreInput {
  readonly replicationPlanId: string;
}

/** Database alone; control queue. */
export interface RestoreControlActivities {
  /** NO_PLACEMENT_GRANT, NO_RESTORE_POINT, NOT_FOUND. */
  prepareRestore(input: PrepareRestoreInput): Promise<PreparedRestore>;
  prepareReplication(input: PrepareReplicationInput): Promise<PreparedRestore>;
  /** Usage and events in one transaction. Again: nothing happens. */
  recordRestore(input: RecordRestoreInput): Promise<void>;
  /** The same, with the replica's row. */
  recordReplica(input: RecordReplicaInput): Promise<void>;
}

/** On the queue of the target pool's site. Safe to repeat. */
export interface RestoreSiteActivities {
  planRestore(input: PlanRestoreInput): Promise<PlannedRestore>;
  createVm(input: CreateVmInput): Promise<CreatedVm>;
  restoreDisk(input: RestoreDiskInput): Promise<RestoredDisk>;
  finishRestore(input: FinishRestoreInput): Promise<RestoredVm>;
  /** Removes a half-made VM with its disks (a finished one stays) and ends the reader's session in the vault. */
  cleanUpRestore(input: RestoreRef): Promise<CleanedUp>;
}
