import type { NetworkPurpose, SMRecord } from './generated/records.ts';
import type { PoolCapabilities } from './model.ts';
import type { XapiConnection } from './xapi-connection.ts';
import { xapiCodeOf } from './xapi-errors.ts';
import { NULL_REF } from './xapi-records.ts';

/** Asks the pool what it can do; versions are not looked at. */
export async function negotiateCapabilities(
  connection: XapiConnection,
  signal?: AbortSignal,
): Promise<PoolCapabilities> {
  const [recorded, snapshotIgnoresDisks] = await Promise.all([
    readCapabilities(connection, signal),
    takesFourArguments(connection, signal),
  ]);
  return { ...recorded, snapshotIgnoresDisks };
}

/** What the pool's records alone say: cheap enough to be asked before every disk. */
export async function readCapabilities(
  connection: XapiConnection,
  signal?: AbortSignal,
): Promise<Omit<PoolCapabilities, 'snapshotIgnoresDisks'>> {
  const [pools, hosts, srs, drivers, networks] = await Promise.all([
    connection.getAllRecords('pool', signal),
    connection.getAllRecords('host', signal),
    connection.getAllRecords('SR', signal),
    connection.getAllRecords('SM', signal),
    connection.getAllRecords('network', signal),
  ]);
  const [pool] = pools.values();
  const licences = [pool?.restrictions ?? {}, ...[...hosts.values()].map((host) => host.license_params)];
  const allowed = (feature: string): boolean => licences.every((licence) => licence[`restrict_${feature}`] !== 'true');
  const withPurpose = (purpose: NetworkPurpose): string[] =>
    [...networks.values()].filter((network) => network.purpose?.includes(purpose)).map(({ uuid }) => uuid);
  const [secure, plain] = [withPurpose('nbd'), withPurpose('insecure_nbd')];
  const tracking = trackingSrTypes(drivers.values());
  return {
    changedBlocksLicensed: allowed('cbt'),
    changedBlocksSrs: [...srs.values()].filter((sr) => tracking.has(sr.type)).map((sr) => sr.uuid),
    nbd: secure.length > 0 ? 'TLS' : plain.length > 0 ? 'PLAIN' : 'NONE',
    nbdNetworks: [...secure, ...plain],
    checkpointLicensed: allowed('checkpoint'),
  };
}

/** Types of SR whose driver can track changed blocks. */
export function trackingSrTypes(drivers: Iterable<SMRecord>): ReadonlySet<string> {
  return new Set([...drivers].filter((driver) => 'VDI_CONFIG_CBT' in driver.features).map((driver) => driver.type));
}

/** The count of arguments is checked before they are looked at, and nothing can be made of a null reference. */
async function takesFourArguments(connection: XapiConnection, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await connection.call('VM.snapshot', [NULL_REF, 'holdfast: probe', []], signal);
  } catch (error) {
    const code = xapiCodeOf(error);
    if (code === undefined) {
      throw error;
    }
    return code !== 'MESSAGE_PARAMETER_COUNT_MISMATCH';
  }
  return true;
}
