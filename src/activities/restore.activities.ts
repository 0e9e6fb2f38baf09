import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../control/access/access.service.ts';
import { JobProgressService } from '../control/jobs/job-progress.service.ts';
import type { MoverCall, PoolAccess, VaultAccess, VaultCall } from '../movers/port.ts';
import type {
  CleanedUp,
  CreatedVm,
  CreateVmInput,
  FinishRestoreInput,
  PlannedRestore,
  PlanRestoreInput,
  RestoreDiskInput,
  RestoredDisk,
  RestoredVm,
  RestoreRef,
  RestoreSiteActivities,
} from '../../workflows/contract/index.ts';
import { inScope, moverAttempt } from './mover-attempt.ts';
import { MOVER, type MoverPort } from './mover.ts';
import { VaultCalls } from './vault-calls.ts';

/** What one attempt may use: addresses and secrets, resolved anew each time. */
interface Reach {
  readonly pool: PoolAccess;
  readonly vault: VaultAccess;
  readonly restorePointId: string;
  readonly jobId: string;
  readonly call: VaultCall;
}

@Injectable()
export class RestoreActivities implements RestoreSiteActivities {
  constructor(
    @Inject(MOVER) private readonly mover: MoverPort,
    private readonly access: AccessService,
    private readonly calls: VaultCalls,
    private readonly progress: JobProgressService,
  ) {}

  async planRestore({ placement, ...restore }: PlanRestoreInput): Promise<PlannedRestore> {
    await this.progress.enter(restore, 'plan');
    return await this.#attempt(restore, {}, async ({ call, ...reach }) => {
      const { totalBytes, warnings } = await this.mover.planRestore({ ...reach, placement }, call);
      return { totalBytes, warnings };
    });
  }

  async createVm({ placement, name, ...restore }: CreateVmInput): Promise<CreatedVm> {
    await this.progress.enter(restore, 'create');
    return await this.#attempt(restore, {}, async ({ call, ...reach }) => {
      return await this.mover.createVm({ ...reach, placement, name }, call);
    });
  }

  async restoreDisk({ disk, ...restore }: RestoreDiskInput): Promise<RestoredDisk> {
    const report = inScope(async (done: number) => {
      await this.progress.report(restore, { phase: 'disks', part: disk.diskKey, done, total: disk.sizeBytes });
    });
    report(0);
    const live = { onProgress: ({ bytesDone }: { readonly bytesDone: number }) => report(bytesDone) };
    return await this.#attempt(restore, live, async ({ call, ...reach }) => {
      const result = await this.mover.restoreDisk({ ...reach, disk }, call);
      report(disk.sizeBytes);
      return result;
    });
  }

  async finishRestore({ vmUuid, ...restore }: FinishRestoreInput): Promise<RestoredVm> {
    await this.progress.enter(restore, 'finish');
    return await this.#attempt(restore, {}, async ({ call, pool, jobId }) => {
      const { vmName, powerState } = await this.mover.finishRestore({ pool, jobId, vmUuid }, call);
      return { vmUuid, vmName, powerState };
    });
  }

  async cleanUpRestore(restore: RestoreRef): Promise<CleanedUp> {
    await this.progress.enter(restore, 'clean-up');
    const { pool } = await this.access.openPlacement(restore);
    // The half-made VM goes also where its tenant may not use the vault's storage any more.
    const vault = await this.access.openVaultIfAllowed(restore);
    const { jobId, restorePointId } = restore;
    return await moverAttempt(
      async (signal) =>
        await this.mover.cleanUpRestore({ pool, vault, restorePointId, jobId }, this.calls.of(restore, { signal })),
    );
  }

  async #attempt<T>(
    restore: RestoreRef,
    live: Pick<MoverCall, 'onProgress'>,
    work: (reach: Reach) => Promise<T>,
  ): Promise<T> {
    const { jobId, restorePointId } = restore;
    const { pool } = await this.access.openPlacement(restore);
    const vault = await this.access.openVault(restore);
    return await moverAttempt(
      async (signal) =>
        await work({ pool, vault, restorePointId, jobId, call: this.calls.of(restore, { ...live, signal }) }),
    );
  }
}
