import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Dialling } from './dialling.ts';
import { NbdConnection } from './nbd/nbd-connection.ts';
import { PinnedTls } from './pinned-tls.ts';
import { XapiConnection } from './xapi-connection.ts';

const OWN_ADDRESSES = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []);
const REFUSED = { code: 'POOL_ADDRESS_REFUSED' };

let server: Server;
let port: number;
let connections: number;

beforeEach(async () => {
  connections = 0;
  server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterEach(async () => {
  server.close();
  await once(server, 'close');
});

/** Answers each look-up of any name with the next of these; the last one stays. */
function resolving(...answers: readonly (readonly string[])[]): Dialling {
  let asked = 0;
  return {
    ownMachine: false,
    resolve: (_, done) => {
      const answer = answers[Math.min(asked, answers.length - 1)] ?? [];
      asked += 1;
      done(
        null,
        answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    },
  };
}

async function logIn(address: string, dialling: Dialling): Promise<unknown> {
  const access = { address, username: 'root', password: 'secret', certificates: { mode: 'report' as const }, dialling };
  return await XapiConnection.open(access);
}

describe('a name of a pool', () => {
  it.each([
    '127.0.0.1',
    '127.8.8.8',
    '0.0.0.0',
    '169.254.169.254',
    '::1',
    'fe80::1',
    '::ffff:127.0.0.1',
    'fd00:ec2::254',
  ])('that leads to %s is not dialled', async (address) => {
    await expect(logIn(`pool.example:${port}`, resolving([address]))).rejects.toMatchObject({
      ...REFUSED,
      data: { host: 'pool.example', address },
    });
    expect(connections).toBe(0);
  });

  it('is not dialled where one of its addresses is refused, nor where it leads elsewhere the second time', async () => {
    await expect(logIn(`pool.example:${port}`, resolving(['192.0.2.1', '127.0.0.1']))).rejects.toMatchObject(REFUSED);
    const tls = new PinnedTls({ mode: 'report' }, resolving(['127.0.0.1']));
    await expect(tls.openSocket(new URL(`https://pool.example:${port}`), undefined)).rejects.toMatchObject(REFUSED);
    await tls.close();
    expect(connections).toBe(0);
  });

  it('is dialled at the address that was judged, and anywhere for who may', async () => {
    const dialling = { ...resolving(['127.0.0.1']), ownMachine: true };
    await expect(logIn(`pool.example:${port}`, dialling)).rejects.toMatchObject({ code: 'POOL_UNREACHABLE' });
    expect(connections).toBeGreaterThan(0);
  });

  it.each(OWN_ADDRESSES)('may not be %s, one of this machine’s own', async (address) => {
    await expect(logIn('pool.example', resolving([address]))).rejects.toMatchObject(REFUSED);
  });
});

describe('a host that a pool names', () => {
  const nowhere = resolving(['192.0.2.1']);

  it.each(['127.0.0.1', '[::1]', 'localhost'])('is not followed to %s', async (host) => {
    const tls = new PinnedTls({ mode: 'report' }, nowhere);
    const url = new URL(`https://${host}:${port}`);
    await expect(tls.openSocket(url, undefined)).rejects.toMatchObject(REFUSED);
    await expect(request(url, { dispatcher: tls.dispatcher })).rejects.toMatchObject(REFUSED);
    await tls.close();
    expect(connections).toBe(0);
  });

  it.each(['127.0.0.1', '::1', 'localhost', 'nbd.example'])('is not read over NBD at %s', async (address) => {
    const dialling = address === 'nbd.example' ? resolving(['127.0.0.1']) : nowhere;
    const target = { address, port, exportName: 'disk', tls: null, dialling };
    const opening = NbdConnection.open(target, { connectMs: 5000, requestMs: 5000 });
    await expect(opening).rejects.toMatchObject(REFUSED);
    expect(connections).toBe(0);
  });
});
