import type { Pool } from '../pool/pool.ts';
import type { Value } from '../model/values.ts';
import { XapiError } from '../xapi-error.ts';
import { nbdPurposes } from '../nbd/purpose.ts';

/** One entry per host that has the SR plugged; empty where no network is for NBD. */
export function nbdInfo(pool: Pool, vdi: string, session: string): Value {
  const { db } = pool;
  const type = db.text('VDI', vdi, 'type');
  if (type === 'cbt_metadata') {
    throw new XapiError('VDI_INCOMPATIBLE_TYPE', [vdi, type]);
  }
  if (nbdPurposes(pool).size === 0) {
    return [];
  }
  const sr = db.text('VDI', vdi, 'SR');
  return pool.hosts
    .filter((host) => host.alive && pool.sees(host, sr))
    .map((host) => ({
      exportname: `/${db.text('VDI', vdi, 'uuid')}?session_id=${session}`,
      address: host.address,
      port: host.nbdPort,
      cert: host.certificate.certificate,
      subject: host.dnsName,
    }));
}
