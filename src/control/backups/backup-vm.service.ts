import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { notFound, toGlobalId, type NodeKey } from '../../kernel/global-id.ts';
import type { TenantId, VaultId, VmId } from '../../kernel/ids.ts';
import { Mutations } from '../../platform/mutations/mutations.ts';
import type { BackupVmInput as WorkflowInput } from '../../../workflows/contract/index.ts';
import { eventOf } from '../jobs/job-state.ts';
import { JobLaunchService } from '../jobs/job-launch.service.ts';
import { getJobRow, JobService } from '../jobs/job.service.ts';
import type { JobWithProgress } from '../jobs/job.view.ts';
import { checkStorageQuota } from '../vaults/storage-quota.ts';
import { VaultRow } from '../vaults/vault.entity.ts';
import { VmRow } from '../vms/vm.entity.ts';
import { vaultNotReady, vmGone } from './backup.errors.ts';
import type { BackupVmInput } from './backup.input.ts';

@Injectable()
export class BackupVmService {
  constructor(
    private readonly mutations: Mutations,
    private readonly launching: JobLaunchService,
    private readonly jobs: JobService,
  ) {}

  /** Row first, then the workflow. VM_BUSY while another backup of the VM is active. */
  async backupVm(input: BackupVmInput): Promise<JobWithProgress> {
    const { vmId, vaultId } = input;
    const { changedBlocks, pauseForConsistency } = input;
    const job = await this.mutations.run({
      name: 'backupVm',
      target: vmId,
      input,
      work: async (em) => {
        const vm = await getVm(em, vmId);
        const vault = await getVault(em, vm.tenantId, vaultId);
        await checkStorageQuota(em, vault);
        const value = await this.launching.insert<WorkflowInput>(em, {
          kind: 'BACKUP',
          tenantId: vm.tenantId,
          vmId: vm.id,
          vaultId: vault.id,
          input: { vmId: vm.id, vaultId: vault.id, changedBlocks, pauseForConsistency },
        });
        const subject: NodeKey = { type: 'Job', tenantId: value.tenantId, id: value.id };
        const data = { ...jobData(subject, vmId), vmName: vm.name };
        return { value, subject, event: eventOf('QUEUED'), data, detail: { vault: vault.name } };
      },
      replay: async (em, id) => await getJobRow(em, { tenantId: vmId.tenantId, id }),
    });
    await this.launching.launch(job);
    return await this.jobs.getJob({ type: 'Job', tenantId: job.tenantId, id: job.id });
  }
}

function jobData(job: NodeKey, vm: NodeKey): Record<string, string> {
  return {
    jobId: toGlobalId('Job', job.tenantId, job.id),
    kind: 'BACKUP',
    state: 'QUEUED',
    vmId: toGlobalId('Vm', vm.tenantId, vm.id),
  };
}

async function getVm(em: EntityManager, { tenantId, id }: NodeKey): Promise<VmRow> {
  const row = await em.findOneBy(VmRow, { tenantId: tenantId as TenantId, id: id as VmId });
  if (row === null) {
    throw notFound('Vm');
  }
  if (row.goneAt !== null || row.releasedAt !== null) {
    throw vmGone(row.name);
  }
  return row;
}

async function getVault(em: EntityManager, tenantId: TenantId, { tenantId: owner, id }: NodeKey): Promise<VaultRow> {
  const row = owner === tenantId ? await em.findOneBy(VaultRow, { tenantId, id: id as VaultId }) : null;
  if (row === null) {
    throw notFound('Vault');
  }
  if (row.state !== 'READY') {
    throw vaultNotReady(row.name, row.state);
  }
  return row;
}
