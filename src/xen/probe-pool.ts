import { AppError } from '../kernel/errors.ts';
import { negotiateCapabilities } from './capabilities.ts';
import type { HostRecord, PoolRecord } from './generated/records.ts';
import type { CertificatePin, HostSummary, PoolProbe } from './model.ts';
import { fingerprintOfPem } from './pinned-tls.ts';
import type { XapiConnection } from './xapi-connection.ts';

/** Who the pool is, what it can do, and the certificate of every host, as XAPI itself knows it. */
export async function probePool(connection: XapiConnection, signal?: AbortSignal): Promise<PoolProbe> {
  const [{ pool, coordinator }, hosts, capabilities] = await Promise.all([
    getPool(connection, signal),
    listHosts(connection, signal),
    negotiateCapabilities(connection, signal),
  ]);
  const certificates = await listCertificates(connection, signal);
  const { hostname, port } = connection.origin;
  const dialled = `${hostname}:${port === '' ? '443' : port}`;
  return {
    uuid: pool.uuid,
    name: pool.name_label,
    productBrand: coordinator.software_version['product_brand'] ?? '',
    productVersion: coordinator.software_version['product_version'] ?? '',
    coordinatorUuid: coordinator.uuid,
    hosts,
    certificates,
    presentedSha256: connection.tls.presented.get(dialled) ?? null,
    capabilities,
  };
}

export async function getPool(
  connection: XapiConnection,
  signal?: AbortSignal,
): Promise<{ readonly pool: PoolRecord; readonly coordinator: HostRecord }> {
  const [pool] = (await connection.getAllRecords('pool', signal)).values();
  if (pool === undefined) {
    throw new AppError('XAPI_RECORD_INVALID', 'The pool answered without a pool record.');
  }
  return { pool, coordinator: await connection.getRecord('host', pool.master, signal) };
}

export async function listHosts(connection: XapiConnection, signal?: AbortSignal): Promise<HostSummary[]> {
  const [{ pool }, hosts, metrics] = await Promise.all([
    getPool(connection, signal),
    connection.getAllRecords('host', signal),
    connection.getAllRecords('host_metrics', signal),
  ]);
  return [...hosts].map(([ref, host]) => ({
    uuid: host.uuid,
    name: host.name_label,
    address: host.address,
    isCoordinator: ref === pool.master,
    enabled: host.enabled,
    live: metrics.get(host.metrics)?.live ?? false,
    productBrand: host.software_version['product_brand'] ?? '',
    productVersion: host.software_version['product_version'] ?? '',
  }));
}

async function listCertificates(connection: XapiConnection, signal?: AbortSignal): Promise<CertificatePin[]> {
  const hosts = await connection.getAllRecords('host', signal);
  return Promise.all(
    [...hosts].map(async ([ref, host]) => ({
      hostUuid: host.uuid,
      address: host.address,
      sha256: fingerprintOfPem(await connection.callForString('host.get_server_certificate', [ref], signal)),
    })),
  );
}
