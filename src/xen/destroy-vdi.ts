import { type Clock, systemClock } from '../kernel/clock.ts';
import { isAppError } from '../kernel/errors.ts';
import type { XapiConnection } from './xapi-connection.ts';
import { isObjectGone } from './xapi-errors.ts';

const ATTEMPTS = 12;
const RETRY_DELAY_MS = 5000;
const FIRST_DELAY_MS = 250;

/** Destroys a disk or an anchor with all it has. Gone already is fine. */
export async function destroyVdi(
  connection: XapiConnection,
  vdiRef: string,
  signal?: AbortSignal,
  clock: Clock = systemClock,
): Promise<void> {
  await whileBusy(connection, vdiRef, 'VDI.destroy', { signal, clock });
}

/** Drops a snapshot's content and keeps its change log: the anchor of the next incremental. */
export async function dropVdiContent(
  connection: XapiConnection,
  vdiRef: string,
  signal?: AbortSignal,
  clock: Clock = systemClock,
): Promise<void> {
  await whileBusy(connection, vdiRef, 'VDI.data_destroy', { signal, clock });
}

/** A disk that was read a moment ago is still attached to a control domain for a while; what is stuck is unplugged. */
async function whileBusy(
  connection: XapiConnection,
  vdiRef: string,
  method: string,
  { signal, clock }: { readonly signal: AbortSignal | undefined; readonly clock: Clock },
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await connection.call(method, [vdiRef], signal);
      return;
    } catch (error) {
      if (isObjectGone(error)) {
        return;
      }
      if (!isAppError(error, 'VDI_BUSY', 'POOL_BUSY') || attempt >= ATTEMPTS) {
        throw error;
      }
    }
    await clock.sleep(Math.min(RETRY_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt), signal);
    if (attempt >= 3) {
      await unplugFromControlDomains(connection, vdiRef);
    }
  }
}

/** Only attachments to control domains: those are made for reading a disk, never by a guest's owner. */
export async function unplugFromControlDomains(connection: XapiConnection, vdiRef: string): Promise<void> {
  const { VBDs } = await connection.getRecord('VDI', vdiRef);
  for (const vbdRef of VBDs) {
    try {
      await unplugFromControlDomain(connection, vbdRef);
    } catch (error) {
      if (!isObjectGone(error) && !isAppError(error, 'XAPI_FAILED', 'VDI_BUSY', 'POOL_BUSY')) {
        throw error;
      }
    }
  }
}

async function unplugFromControlDomain(connection: XapiConnection, vbdRef: string): Promise<void> {
  const vbd = await connection.getRecord('VBD', vbdRef);
  const vm = await connection.getRecord('VM', vbd.VM);
  if (!vm.is_control_domain) {
    return;
  }
  if (vbd.currently_attached) {
    await connection.call('VBD.unplug', [vbdRef]);
  }
  await connection.call('VBD.destroy', [vbdRef]);
}
