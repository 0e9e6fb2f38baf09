import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadOrCreate } from '../certificates/certificate-store.ts';
import { newRef, toDatetime } from '../model/values.ts';
import { ChangedBlocks } from '../storage/changed-blocks.ts';
import { Store } from '../storage/store.ts';
import { refreshSpace } from '../xapi/sr.ts';
import { Host } from './host.ts';
import { Pool, type PoolParts } from './pool.ts';

export interface PoolPlan {
  readonly name: string;
  /** One address per host; the first is the coordinator. */
  readonly addresses: readonly string[];
  readonly user: string;
  readonly password: string;
}

const PRODUCT = {
  product_brand: 'XCP-ng',
  product_version: '8.3.0',
  platform_name: 'XCP',
  platform_version: '3.4.0',
  xapi: '26.1',
  xapi_build: '26.1.4',
  hostname: 'localhost',
};

const FILE_FEATURES = [
  'VDI_CREATE',
  'VDI_DELETE',
  'VDI_SNAPSHOT',
  'VDI_CLONE',
  'VDI_RESIZE',
  'VDI_RESIZE_ONLINE',
  'VDI_CONFIG_CBT',
  'VDI_GENERATE_CONFIG',
  'SR_PROBE',
  'SR_UPDATE',
];

/** A pool as it is just after its installation: hosts, a management network, a shared and a local SR per host. */
export function buildPool(parts: PoolParts, plan: PoolPlan, folder: string): Pool {
  const pool = new Pool(parts);
  const { db } = pool;
  pool.sessions.users.push({ name: plan.user, password: plan.password, role: 'pool-admin' });
  const restrictions = {
    restrict_cbt: 'false',
    restrict_rbac: 'false',
    restrict_checkpoint: 'false',
    restrict_vtpm: 'false',
  };
  const poolRef = db.create('pool', { name_label: plan.name, name_description: 'a simulated pool', restrictions });
  const network = db.create('network', {
    name_label: 'Pool-wide network associated with eth0',
    bridge: 'xenbr0',
    MTU: 1500,
    purpose: ['nbd'],
  });
  db.create('network', { name_label: 'backup', bridge: 'xapi1', MTU: 1500 });
  for (const [index, address] of plan.addresses.entries()) {
    addHost(pool, { name: `${plan.name}-${index + 1}`, address, network }, folder);
  }
  for (const type of ['nfs', 'ext']) {
    const features = Object.fromEntries(FILE_FEATURES.map((feature) => [feature, 1]));
    db.create('SM', { type, name_label: type, capabilities: FILE_FEATURES, features });
  }
  const everyHost = pool.hosts.map((host) => host.ref);
  const shared = addRepository(pool, { name: 'NFS virtual disk storage', type: 'nfs', hosts: everyHost }, folder);
  for (const host of pool.hosts) {
    addRepository(pool, { name: `Local storage on ${host.name}`, type: 'ext', hosts: [host.ref] }, folder);
  }
  db.set('pool', poolRef, { master: pool.coordinator.ref, default_SR: shared, suspend_image_SR: shared });
  return pool;
}

interface HostPlan {
  readonly name: string;
  readonly address: string;
  readonly network: string;
}

function addHost(pool: Pool, plan: HostPlan, folder: string): void {
  const { db } = pool;
  const [ref, controlDomain, uuid] = [newRef(), newRef(), randomUUID()];
  const identity = { ref, uuid, name: plan.name, address: plan.address, controlDomain };
  const certificates = join(folder, 'certificates');
  const host = new Host(identity, loadOrCreate(certificates, `${plan.name}.simulator.test`, plan.address));
  pool.hosts.push(host);
  const now = toDatetime(Date.now());
  const memory = 64 * 1024 ** 3;
  const metrics = db.create('host_metrics', {
    live: true,
    memory_total: memory,
    memory_free: memory,
    last_updated: now,
  });
  db.create(
    'host',
    {
      uuid,
      name_label: plan.name,
      hostname: plan.name,
      address: plan.address,
      enabled: true,
      metrics,
      software_version: PRODUCT,
      API_version_major: 2,
      API_version_minor: 21,
      API_version_vendor: 'XenSource',
      edition: 'xcp-ng',
      license_params: { restrict_cbt: 'false', restrict_rbac: 'false', restrict_checkpoint: 'false' },
      control_domain: controlDomain,
      cpu_info: { cpu_count: '8', vendor: 'GenuineIntel' },
    },
    ref,
  );
  const pif = { device: 'eth0', host: ref, network: plan.network, IP: plan.address, netmask: '255.0.0.0' };
  db.create('PIF', {
    ...pif,
    management: true,
    physical: true,
    currently_attached: true,
    ip_configuration_mode: 'Static',
  });
  db.create(
    'VM',
    {
      name_label: `Control domain on host: ${plan.name}`,
      is_control_domain: true,
      power_state: 'Running',
      resident_on: ref,
      domid: 0,
      memory_dynamic_max: 4 * 1024 ** 3,
    },
    controlDomain,
  );
}

interface RepositoryPlan {
  readonly name: string;
  readonly type: string;
  readonly hosts: readonly string[];
}

function addRepository(pool: Pool, plan: RepositoryPlan, folder: string): string {
  const { db, settings } = pool;
  const uuid = randomUUID();
  const sr = db.create('SR', {
    uuid,
    name_label: plan.name,
    type: plan.type,
    content_type: 'user',
    shared: plan.type === 'nfs',
    physical_size: settings.srCapacityBytes,
    allowed_operations: ['scan', 'vdi_create', 'vdi_destroy', 'vdi_snapshot', 'vdi_clone', 'vdi_resize'],
  });
  for (const host of plan.hosts) {
    db.create('PBD', { SR: sr, host, currently_attached: true, device_config: { location: uuid } });
  }
  const disks = join(folder, 'disks', uuid);
  mkdirSync(disks, { recursive: true });
  const store = new Store(disks, settings.srCapacityBytes, settings.mergeDelayMs);
  store.onMerged = () => {
    refreshSpace(pool, sr);
  };
  pool.repositories.set(sr, { store, tracking: new ChangedBlocks() });
  return sr;
}
