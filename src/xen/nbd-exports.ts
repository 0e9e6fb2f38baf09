import { AppError } from '../kernel/errors.ts';
import { fingerprintOfPem } from './pinned-tls.ts';
import type { NbdExport } from './nbd/nbd-export.ts';
import type { XapiConnection } from './xapi-connection.ts';
import { parseRecord } from './xapi-records.ts';

/** How the pool offers NBD: the purposes exclude each other pool-wide, and only they say whether TLS is spoken. */
export async function findNbdMode(connection: XapiConnection, signal?: AbortSignal): Promise<'TLS' | 'PLAIN' | 'NONE'> {
  const networks = await connection.getAllRecords('network', signal);
  const purposes = new Set([...networks.values()].flatMap((network) => network.purpose ?? []));
  if (purposes.has('nbd')) {
    return 'TLS';
  }
  return purposes.has('insecure_nbd') ? 'PLAIN' : 'NONE';
}

/** Every address at which the disk can be read now. Empty where no network is meant for NBD. */
export async function listNbdExports(
  connection: XapiConnection,
  vdiUuid: string,
  signal?: AbortSignal,
): Promise<NbdExport[]> {
  const [mode, vdiRef] = await Promise.all([
    findNbdMode(connection, signal),
    connection.getRefByUuid('VDI', vdiUuid, signal),
  ]);
  const answer = await connection.call('VDI.get_nbd_info', [vdiRef], signal);
  if (!Array.isArray(answer)) {
    throw new AppError('XAPI_RECORD_INVALID', 'VDI.get_nbd_info answered without a list.');
  }
  return answer.map((raw: unknown) => {
    const info = parseRecord('vdi_nbd_server_info', vdiRef, raw);
    // The certificate came over a connection that is pinned itself, so it can be taken at its word.
    const tls = mode === 'TLS' ? { certificateSha256: fingerprintOfPem(info.cert), subject: info.subject } : null;
    return { address: info.address, port: info.port, exportName: info.exportname, tls, dialling: connection.dialling };
  });
}
