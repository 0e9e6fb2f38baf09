import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { notFound, type NodeKey, toGlobalId } from '../../kernel/global-id.ts';
import type { VmId } from '../../kernel/ids.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { Mutations } from '../../platform/mutations/mutations.ts';
import type { Connection } from '../../platform/paging/connection.ts';
import { Pager } from '../../platform/paging/pager.ts';
import { PoolVmService } from '../pool-vms/pool-vm.service.ts';
import { assignVm, findAssigned } from './assign-vm.ts';
import { VmRow } from './vm.entity.ts';
import type { AssignVmInput, ListVmsArgs, UnassignVmInput } from './vm.input.ts';

@Injectable()
export class VmService {
  constructor(
    private readonly scope: TenantScope,
    private readonly db: TenantDb,
    private readonly mutations: Mutations,
    private readonly pager: Pager,
    private readonly poolVms: PoolVmService,
  ) {}

  async getVm(key: NodeKey): Promise<VmRow> {
    return await this.db.run(async (em) => await getVmRow(em, key));
  }

  /** The VMs of one tenant, newest first. */
  async listVms({ tenantId, includePast = false, ...page }: ListVmsArgs): Promise<Connection<VmRow>> {
    const tenant = this.scope.tenantOr(tenantId);
    return await this.db.within(tenant, async (em) => {
      const query = em.createQueryBuilder(VmRow, 'vm').where('vm.tenant_id = :tenantId', tenant);
      if (!includePast) {
        query.andWhere('vm.released_at is null and vm.gone_at is null');
      }
      const sort = [
        { column: 'vm.created_at', type: 'timestamptz' },
        { column: 'vm.id', type: 'uuid' },
      ] as const;
      const list = `vms|${tenant.tenantId}|${includePast}|newest`;
      return await this.pager.page(query, { list, sort, direction: 'DESC' }, page);
    });
  }

  /** Gives a guest to a tenant below the pool's owner, or to the owner itself. */
  async assignVm(input: AssignVmInput): Promise<VmRow> {
    return await this.#assign('assignVm', input, input.tenantId);
  }

  /** Takes a guest back to the pool's owner. */
  async unassignVm(input: UnassignVmInput): Promise<VmRow> {
    const { tenantId } = input.poolVmId;
    return await this.#assign('unassignVm', input, { type: 'Tenant', tenantId, id: tenantId });
  }

  async #assign(name: string, input: UnassignVmInput, to: NodeKey): Promise<VmRow> {
    const { poolVmId } = input;
    return await this.mutations.run({
      name,
      target: poolVmId,
      input,
      work: async (em) => {
        const { row } = await this.poolVms.getPoolVm(poolVmId);
        const vmKey = await assignVm(em, row, to);
        const value = await getVmRow(em, vmKey);
        const data = {
          name: row.name,
          tenantId: toGlobalId('Tenant', to.tenantId, to.id),
          vmId: toGlobalId('Vm', vmKey.tenantId, vmKey.id),
        };
        return { value, subject: poolVmId, event: 'pool_vm.assigned', data };
      },
      replay: async (em) => await getVmRow(em, await findAssigned(em, poolVmId, to)),
    });
  }
}

async function getVmRow(em: EntityManager, { tenantId, id }: Pick<NodeKey, 'tenantId' | 'id'>): Promise<VmRow> {
  const row = await em.findOneBy(VmRow, { tenantId: tenantId as VmRow['tenantId'], id: id as VmId });
  if (row === null) {
    throw notFound('Vm');
  }
  return row;
}
