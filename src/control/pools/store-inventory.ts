import type { EntityManager } from 'typeorm';
import type { FoundInventory, FoundVm } from './found-pool.ts';
import type { PoolRow } from './pool.entity.ts';

export interface InventoryCounts {
  readonly hosts: number;
  readonly srs: number;
  readonly networks: number;
  readonly vms: number;
}

interface PartTable {
  readonly table: 'pool_host' | 'pool_sr' | 'pool_network' | 'pool_vm';
  /** Column and SQL type of everything that comes from the pool, beside `xen_uuid`. */
  readonly columns: Readonly<Record<string, string>>;
}

const HOSTS: PartTable = { table: 'pool_host', columns: { name: 'text', address: 'text' } };
const SRS: PartTable = {
  table: 'pool_sr',
  columns: {
    name: 'text',
    type: 'text',
    shared: 'boolean',
    size_bytes: 'bigint',
    used_bytes: 'bigint',
    tracks_changes: 'boolean',
  },
};
const NETWORKS: PartTable = { table: 'pool_network', columns: { name: 'text', bridge: 'text', purposes: 'text[]' } };
const VMS: PartTable = {
  table: 'pool_vm',
  columns: {
    name: 'text',
    power_state: 'text',
    memory_bytes: 'bigint',
    vcpus: 'integer',
    tags: 'text[]',
    disks: 'jsonb',
    interfaces: 'jsonb',
    updated_at: 'timestamptz',
  },
};

/** One statement per kind brings in what is there, one marks what is not. */
export async function storeInventory(
  em: EntityManager,
  pool: PoolRow,
  found: FoundInventory,
): Promise<InventoryCounts> {
  const now = new Date().toISOString();
  const { hosts, srs, networks, vms } = found;
  await storeParts(
    em,
    pool,
    HOSTS,
    hosts.map(({ uuid, name, address }) => ({ xen_uuid: uuid, name, address })),
  );
  await storeParts(
    em,
    pool,
    SRS,
    srs.map(({ uuid, name, type, shared, sizeBytes, usedBytes, changedBlocks }) => ({
      xen_uuid: uuid,
      name,
      type,
      shared,
      size_bytes: sizeBytes,
      used_bytes: usedBytes,
      tracks_changes: changedBlocks,
    })),
  );
  await storeParts(
    em,
    pool,
    NETWORKS,
    networks.map(({ uuid, name, bridge, purposes }) => ({ xen_uuid: uuid, name, bridge, purposes })),
  );
  await storeParts(
    em,
    pool,
    VMS,
    vms.map((vm) => toVmRow(vm, now)),
  );
  return { hosts: hosts.length, srs: srs.length, networks: networks.length, vms: vms.length };
}

/** The tenants' VMs take over what the pool's owner saw, each of them whoever's it is. */
export async function followVms(em: EntityManager, { tenantId, id }: PoolRow): Promise<void> {
  await em.query('select app.follow_pool_vms($1, $2)', [tenantId, id]);
}

async function storeParts(
  em: EntityManager,
  { tenantId, id }: PoolRow,
  { table, columns }: PartTable,
  parts: readonly { readonly xen_uuid: string }[],
): Promise<void> {
  const names = Object.keys(columns);
  const typed = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
  await em.query(
    `insert into app.${table} (tenant_id, pool_id, xen_uuid, ${names.join(', ')})
     select $1, $2, part.xen_uuid, ${names.map((name) => `part.${name}`).join(', ')}
     from jsonb_to_recordset($3::jsonb) as part (xen_uuid text, ${typed.join(', ')})
     on conflict (tenant_id, pool_id, xen_uuid) do update
       set gone_at = null, ${names.map((name) => `${name} = excluded.${name}`).join(', ')}`,
    [tenantId, id, JSON.stringify(parts)],
  );
  await em.query(
    `update app.${table} set gone_at = now()
     where tenant_id = $1 and pool_id = $2 and gone_at is null and not xen_uuid = any ($3::text[])`,
    [tenantId, id, parts.map(({ xen_uuid }) => xen_uuid)],
  );
}

function toVmRow(vm: FoundVm, now: string) {
  return {
    xen_uuid: vm.uuid,
    name: vm.name,
    power_state: vm.powerState,
    memory_bytes: vm.memoryBytes,
    vcpus: vm.vcpus,
    tags: vm.tags,
    disks: vm.disks
      .toSorted((a, b) => byNumber(a.device, b.device))
      .map(({ vdiUuid, srUuid, name, device, sizeBytes, changedBlocks }) => ({
        vdiUuid,
        srUuid,
        name,
        position: device,
        sizeBytes,
        tracksChanges: changedBlocks,
      })),
    interfaces: vm.interfaces
      .toSorted((a, b) => byNumber(a.device, b.device))
      .map(({ device, mac, networkUuid }) => ({ device, mac, networkUuid })),
    updated_at: now,
  };
}

/** XenServer counts positions as text: `10` comes after `9`. */
function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
