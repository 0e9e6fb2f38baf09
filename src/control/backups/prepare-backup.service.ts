import { Injectable } from '@nestjs/common';
import type { TenantId, VaultId, VmId } from '../../kernel/ids.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import type { PrepareBackupInput } from '../../../workflows/contract/index.ts';
import { AccessService } from '../access/access.service.ts';
import { JobRunService } from '../jobs/job-run.service.ts';
import { RestorePointRow } from '../restore-points/restore-point.entity.ts';

export interface LocatedBackup {
  readonly siteId: string;
  readonly baseRestorePointId: string | null;
}

/** The first step of a backup: where the VM is, what it builds on, and a note for whoever may have to clean up. */
@Injectable()
export class PrepareBackupService {
  constructor(
    private readonly db: TenantDb,
    private readonly access: AccessService,
    private readonly runs: JobRunService,
  ) {}

  async prepareBackup(input: PrepareBackupInput): Promise<LocatedBackup> {
    const { tenantId, jobId, vmId, vaultId, restorePointId, snapshotName } = input;
    const { siteId } = await this.access.openVm({ tenantId, vmId });
    const baseRestorePointId = await this.#newestPoint(input);
    const backup = { tenantId, jobId, vmId, vaultId, restorePointId, baseRestorePointId, snapshotName };
    await this.runs.journal({ tenantId, jobId }, { siteId, backup });
    return { siteId, baseRestorePointId };
  }

  async #newestPoint({ tenantId, vmId, vaultId }: PrepareBackupInput): Promise<string | null> {
    const where = { tenantId: tenantId as TenantId, vmId: vmId as VmId, vaultId: vaultId as VaultId };
    const point = await this.db.run(
      async (em) => await em.findOne(RestorePointRow, { where, order: { takenAt: 'DESC', id: 'DESC' } }),
    );
    return point?.id ?? null;
  }
}
