import type { Pool } from '../pool/pool.ts';
import type { ControlRoutes } from './control-server.ts';
import { optionalNumber } from './control-request.ts';
import type { Simulator } from '../simulator.ts';

/** What a client that cleans up after itself leaves none of. */
function leftovers(pool: Pool): object {
  const { db } = pool;
  const controlDomains = new Set(pool.hosts.map((host) => host.controlDomain));
  const pick = (className: string, keep: (row: Readonly<Record<string, unknown>>) => boolean): object[] =>
    db
      .rows(className)
      .filter(([, row]) => keep(row))
      .map(([ref, row]) => ({ ref, uuid: row['uuid'], name: row['name_label'] ?? '' }));
  return {
    pool: pool.name,
    snapshotVms: pick('VM', (row) => row['is_a_snapshot'] === true),
    snapshotVdis: pick('VDI', (row) => row['is_a_snapshot'] === true && row['type'] !== 'cbt_metadata'),
    cbtMetadataVdis: pick('VDI', (row) => row['type'] === 'cbt_metadata'),
    controlDomainVbds: pick('VBD', (row) => controlDomains.has(String(row['VM']))),
    tasks: pick('task', () => true),
    sessions: pool.sessions.refs,
    nbdConnections: pool.hosts.reduce((sum, host) => sum + host.nbdConnections, 0),
  };
}

export function describePool(simulator: Simulator, pool: Pool): object {
  const { db } = pool;
  return {
    name: pool.name,
    uuid: pool.uuid,
    coordinator: pool.coordinator.uuid,
    hosts: pool.hosts.map((host) => ({
      name: host.name,
      uuid: host.uuid,
      address: host.address,
      url: simulator.url(host),
      nbdPort: host.nbdPort,
      alive: host.alive,
      certificate: host.certificate.certificate,
    })),
    srs: db.rows('SR').map(([, row]) => ({
      uuid: row['uuid'],
      name: row['name_label'],
      type: row['type'],
      shared: row['shared'],
      physicalSize: row['physical_size'],
      physicalUtilisation: row['physical_utilisation'],
    })),
    networks: db
      .rows('network')
      .map(([, row]) => ({ uuid: row['uuid'], name: row['name_label'], purpose: row['purpose'] })),
  };
}

export const observeRoutes: ControlRoutes = {
  'GET /pools': ({ simulator }) => simulator.pools.map((pool) => describePool(simulator, pool)),
  'GET /log': ({ simulator, query }) =>
    simulator.log.since(optionalNumber(query.get('since'), 'since') ?? 0, query.get('type') ?? undefined),
  'DELETE /log': ({ simulator }) => {
    simulator.log.clear();
  },
  'GET /stats': ({ simulator }) => simulator.log.stats,
  'GET /leftovers': ({ simulator }) => simulator.pools.map((pool) => leftovers(pool)),
};
