import { createHash } from 'node:crypto';
import { throwIfAborted } from '../kernel/abort.ts';
import { isAppError } from '../kernel/errors.ts';
import { XapiConnection } from '../xen/xapi-connection.ts';
import type { NewPoolAccess } from './access.ts';
import { SharedResource } from './shared-resource.ts';

const LINGER_MS = 5000;

/** One connection per pool and credentials, shared by everything that runs at the same time. */
export class PoolConnections {
  readonly #shared = new SharedResource<string, XapiConnection>(async (connection) => connection.close(), LINGER_MS);

  async use<T>(
    access: NewPoolAccess,
    signal: AbortSignal,
    work: (connection: XapiConnection) => Promise<T>,
  ): Promise<T> {
    throwIfAborted(signal);
    return this.#shared.use(keyOf(access), async () => open(access), work, { isBroken, signal });
  }

  async close(): Promise<void> {
    await this.#shared.close();
  }
}

async function open({
  address,
  username,
  password,
  certificates,
  ownMachine = true,
}: NewPoolAccess): Promise<XapiConnection> {
  return XapiConnection.open({
    address,
    username,
    password,
    certificates:
      certificates === null
        ? { mode: 'report' }
        : { mode: 'pinned', sha256: certificates.map((certificate) => certificate.sha256) },
    dialling: { ownMachine },
    otherAddresses: (certificates ?? []).map((certificate) => certificate.address),
  });
}

/** After these the session may be dead or the coordinator another one: the next user connects anew. */
function isBroken(error: unknown): boolean {
  return isAppError(error, 'POOL_UNREACHABLE', 'POOL_CERTIFICATE_CHANGED', 'POOL_AUTH_FAILED');
}

/** A digest, so that no password is kept as a key. */
function keyOf(access: NewPoolAccess): string {
  return createHash('sha256').update(JSON.stringify(access)).digest('hex');
}
