import type { EntityManager } from 'typeorm';
import type { CreateVaultInput } from '../../../workflows/contract/index.ts';
import type { JobOrder } from '../jobs/job-launch.service.ts';
import { JobRow } from '../jobs/job.entity.ts';
import type { VaultRow } from './vault.entity.ts';

export interface VaultWithJob {
  readonly vault: VaultRow;
  readonly job: JobRow;
}

export function creationOf({ tenantId, id }: VaultRow): JobOrder<CreateVaultInput> {
  return { kind: 'VAULT_CREATION', tenantId, vaultId: id, input: { vaultId: id } };
}

/** The job that the vault came with; there are more where it failed and was tried again. */
export async function creationJobOf(em: EntityManager, { tenantId, id }: VaultRow): Promise<JobRow> {
  return await em.findOneOrFail(JobRow, {
    where: { tenantId, vaultId: id, kind: 'VAULT_CREATION' },
    order: { createdAt: 'ASC', id: 'ASC' },
  });
}

export async function newestCreationJobOf(em: EntityManager, { tenantId, id }: VaultRow): Promise<JobRow | null> {
  return await em.findOne(JobRow, {
    where: { tenantId, vaultId: id, kind: 'VAULT_CREATION' },
    order: { createdAt: 'DESC', id: 'DESC' },
  });
}
