import type { EntityManager } from 'typeorm';
import type { RestorePointId } from '../../kernel/ids.ts';
import { RestorePointRow } from '../restore-points/restore-point.entity.ts';
import type { ReplicationPlanRow } from './replication-plan.entity.ts';
import { noRestorePoint } from './replication.errors.ts';

/** The named restore point of the plan's VM in the plan's vault, or the newest; NO_RESTORE_POINT where there is none. */
export async function findPoint(
  em: EntityManager,
  { tenantId, vmId, vaultId }: ReplicationPlanRow,
  restorePointId: string | null,
): Promise<RestorePointRow> {
  const named = restorePointId === null ? {} : { id: restorePointId as RestorePointId };
  const point = await em.findOne(RestorePointRow, {
    where: { tenantId, vmId, vaultId, ...named },
    order: { takenAt: 'DESC', id: 'DESC' },
  });
  if (point === null) {
    throw noRestorePoint();
  }
  return point;
}
