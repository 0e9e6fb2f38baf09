import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../control/access/access.service.ts';
import { JobProgressService } from '../control/jobs/job-progress.service.ts';
import type {
  DiskBackupResult,
  FullReadReason,
  MoverCall,
  PoolAccess,
  SessionRef,
  VaultAccess,
  VaultCall,
} from '../movers/port.ts';
import type {
  BackedUpDisk,
  BackupDiskInput,
  BackupRef,
  BackupSiteActivities,
  CleanedUp,
  CleanUpBackupInput,
  CommitRestorePointInput,
  CommittedRestorePoint,
  PlanBackupInput,
  PlannedBackup,
  SnapshottedVm,
  SnapshotVmInput,
} from '../../workflows/contract/index.ts';
import { inScope, moverAttempt } from './mover-attempt.ts';
import { MOVER, type MoverPort } from './mover.ts';
import { VaultCalls } from './vault-calls.ts';

/** What one attempt may use: addresses and secrets, resolved anew each time. */
interface Reach {
  readonly pool: PoolAccess;
  readonly vault: VaultAccess;
  readonly vmUuid: string;
  readonly session: SessionRef;
  readonly call: VaultCall;
}

@Injectable()
export class BackupActivities implements BackupSiteActivities {
  constructor(
    @Inject(MOVER) private readonly mover: MoverPort,
    private readonly access: AccessService,
    private readonly calls: VaultCalls,
    private readonly progress: JobProgressService,
  ) {}

  async planBackup({ changedBlocks, ...backup }: PlanBackupInput): Promise<PlannedBackup> {
    await this.progress.enter(backup, 'plan');
    return await this.#attempt(backup, {}, async ({ call, ...reach }) => {
      const { baseRestorePointId } = backup;
      const plan = await this.mover.planBackup({ ...reach, baseRestorePointId, changedBlocks }, call);
      const reasons = Object.fromEntries(plan.disks.map((disk) => [disk.vdiUuid, disk.reason]));
      return {
        baseRestorePointId: plan.baseRestorePointId,
        reasons,
        totalBytes: plan.totalBytes,
        warnings: plan.warnings,
      };
    });
  }

  async snapshotVm({
    snapshotName,
    changedBlocks,
    pauseForConsistency,
    ...backup
  }: SnapshotVmInput): Promise<SnapshottedVm> {
    await this.progress.enter(backup, 'snapshot');
    return await this.#attempt(backup, {}, async ({ call, pool, vmUuid }) => {
      const { jobId, vaultId } = backup;
      const command = { pool, vaultId, jobId, vmUuid, snapshotName, changedBlocks, pauseForConsistency };
      return await this.mover.snapshotVm(command, call);
    });
  }

  async backupDisk({ disk, plannedReason, changedBlocks, ...backup }: BackupDiskInput): Promise<BackedUpDisk> {
    const report = inScope(async (done: number) => {
      await this.progress.report(backup, { phase: 'disks', part: disk.vdiUuid, done, total: disk.sizeBytes });
    });
    report(0);
    const live = { onProgress: ({ bytesDone }: { readonly bytesDone: number }) => report(bytesDone) };
    return await this.#attempt(backup, live, async ({ call, ...reach }) => {
      const result = await this.mover.backupDisk(
        { ...reach, disk, plannedReason: plannedReason as FullReadReason | null, changedBlocks },
        call,
      );
      report(disk.sizeBytes);
      return result;
    });
  }

  async commitRestorePoint({ snapshot, disks, ...backup }: CommitRestorePointInput): Promise<CommittedRestorePoint> {
    await this.progress.enter(backup, 'commit');
    return await this.#attempt(backup, {}, async ({ call, ...reach }) => {
      const { jobId, vmId } = backup;
      // What a mover said about its disks comes back to a mover as it was.
      const command = { ...reach, jobId, vmId, snapshot, disks: disks as readonly DiskBackupResult[] };
      return await this.mover.commitRestorePoint(command, call);
    });
  }

  async cleanUpBackup({ snapshotName, ...backup }: CleanUpBackupInput): Promise<CleanedUp> {
    await this.progress.enter(backup, 'clean-up');
    const { pool, vmUuid } = await this.access.openVm(backup);
    // The snapshot goes also where its tenant may not use the vault's storage any more.
    const vault = await this.access.openVaultIfAllowed(backup);
    const { jobId } = backup;
    const command = { pool, vault, vmUuid, jobId, snapshotName, session: sessionOf(backup) };
    return await moverAttempt(
      async (signal) => await this.mover.cleanUpBackup(command, this.calls.of(backup, { signal })),
    );
  }

  async #attempt<T>(
    backup: BackupRef,
    live: Pick<MoverCall, 'onProgress'>,
    work: (reach: Reach) => Promise<T>,
  ): Promise<T> {
    const { pool, vmUuid } = await this.access.openVm(backup);
    const vault = await this.access.openVault(backup);
    const session = sessionOf(backup);
    return await moverAttempt(
      async (signal) => await work({ pool, vault, vmUuid, session, call: this.calls.of(backup, { ...live, signal }) }),
    );
  }
}

function sessionOf({ jobId, restorePointId, baseRestorePointId }: BackupRef): SessionRef {
  return { sessionId: jobId, restorePointId, baseRestorePointId };
}
