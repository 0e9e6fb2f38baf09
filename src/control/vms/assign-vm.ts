import type { EntityManager } from 'typeorm';
import { notFound, type NodeKey } from '../../kernel/global-id.ts';
import { vmBusy, vmGone } from './vm.errors.ts';

interface Guest {
  readonly tenantId: string;
  readonly id: string;
  readonly name: string;
}

/** Moves the guest to a tenant at or below its pool's owner; the definer function judges and changes both tenants' rows. */
export async function assignVm(em: EntityManager, guest: Guest, to: NodeKey): Promise<NodeKey> {
  const judged: { reachable: boolean }[] = await em.query(
    `select $2::uuid = any (app.scope()) and ($1 = $2 or app.is_strict_ancestor($1, $2)) as reachable`,
    [guest.tenantId, to.tenantId],
  );
  if (judged[0]?.reachable !== true) {
    throw notFound('Tenant');
  }
  const rows: { vm_id: string | null; refusal: 'VM_BUSY' | 'VM_GONE' | null }[] = await em.query(
    'select vm_id, refusal from app.assign_vm($1, $2, $3)',
    [guest.tenantId, guest.id, to.tenantId],
  );
  const done = rows[0];
  if (done?.refusal === 'VM_BUSY') {
    throw vmBusy(guest.name);
  }
  if (done === undefined || done.vm_id === null) {
    throw vmGone(guest.name);
  }
  return { type: 'Vm', tenantId: to.tenantId, id: done.vm_id };
}

/** The VM that the tenant got when the guest was last assigned to it, whoever has it now. */
export async function findAssigned(em: EntityManager, poolVm: NodeKey, to: NodeKey): Promise<NodeKey> {
  const rows: { id: string }[] = await em.query(
    `select id from app.vm where tenant_id = $1 and pool_owner_id = $2 and pool_vm_id = $3
     order by created_at desc, id desc limit 1`,
    [to.tenantId, poolVm.tenantId, poolVm.id],
  );
  return { type: 'Vm', tenantId: to.tenantId, id: rows[0]?.id ?? poolVm.id };
}
