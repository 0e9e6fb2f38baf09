import { Injectable } from '@nestjs/common';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import type { PrepareReplicationInput } from '../../../workflows/contract/index.ts';
import { PrepareRestoreService, type LocatedRestore } from '../restores/prepare-restore.service.ts';
import { findPoint } from './find-point.ts';
import { getPlanRow } from './replication-plan.service.ts';

/** The first step of a replication: its plan, as it is now, makes it a restore. */
@Injectable()
export class PrepareReplicationService {
  constructor(
    private readonly db: TenantDb,
    private readonly restores: PrepareRestoreService,
  ) {}

  async prepareReplication(input: PrepareReplicationInput): Promise<LocatedRestore> {
    const { tenantId, jobId, replicationPlanId, restorePointId } = input;
    const { plan, point } = await this.db.run(async (em) => {
      const plan = await getPlanRow(em, { tenantId, id: replicationPlanId });
      return { plan, point: await findPoint(em, plan, restorePointId) };
    });
    const { poolOwnerId, poolId, poolGrantId, srId, networkMap, vaultId } = plan;
    return await this.restores.prepareRestore({
      tenantId,
      jobId,
      restorePointId: point.id,
      vaultId,
      target: { poolOwnerId, poolId, poolGrantId },
      srId,
      networkMap,
      name: null,
    });
  }
}
