import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { RawImport } from './raw-import.ts';
import type { XapiConnection } from './xapi-connection.ts';

const DEADLINES = { headMs: 100, stallMs: 100, verdictMs: 100 };
const sockets = new Set<Socket>();
let server: Server | undefined;

afterEach(async () => {
  for (const socket of sockets) {
    socket.destroy();
  }
  sockets.clear();
  server?.close();
});

/** A pool whose host takes connections and does with them as told; its task is found pending so many times. */
async function poolThat(serve: (socket: Socket) => void, pending = 0): Promise<XapiConnection> {
  const listening = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {
      // The importer hangs up.
    });
    serve(socket);
  }).listen(0, '127.0.0.1');
  server = listening;
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  let asked = 0;
  const fake = {
    origin: new URL(`http://127.0.0.1:${port}`),
    sessionRef: 'OpaqueRef:session',
    getRefByUuid: async () => 'OpaqueRef:vdi',
    callForString: async (method: string) => (method === 'task.create' ? 'OpaqueRef:task' : 'success'),
    call: async (method: string, _: unknown, signal?: AbortSignal) => {
      asked += method === 'event.from' ? 1 : 0;
      if (method !== 'event.from' || asked > pending) {
        throw new Error('nothing is known of the task');
      }
      await once(signal ?? new AbortController().signal, 'abort');
      signal?.throwIfAborted();
    },
    tls: { openSocket: async (url: URL) => connect(Number(url.port), url.hostname) },
  };
  return fake as unknown as XapiConnection;
}

const takeIt = (socket: Socket): void => void socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
const ORDER = { vdiUuid: 'vdi', jobId: 'job', deadlines: DEADLINES };

it('an import does not wait for ever for a host that does not answer', async () => {
  const pool = await poolThat(() => undefined);
  await expect(RawImport.open(pool, ORDER)).rejects.toMatchObject({
    code: 'IMPORT_FAILED',
    message: expect.stringContaining('no answer within 0.1 s'),
  });
});

it('nor for one that takes nothing any more', async () => {
  const pool = await poolThat((socket) => {
    takeIt(socket);
    socket.once('data', () => socket.pause());
  });
  const sink = await RawImport.open(pool, ORDER);
  const block = new Uint8Array(4 * 1024 * 1024);
  const sending = (async () => {
    for (let at = 0; at < 64; at += 1) {
      await sink.write(at * block.length, block);
    }
  })();
  await expect(sending).rejects.toThrow('the pool took nothing for 0.1 s');
  await sink.abort(new Error('given up'));
});

it('nor for one that never says how it ended', async () => {
  const pool = await poolThat((socket) => {
    takeIt(socket);
    socket.resume();
  }, 1);
  const sink = await RawImport.open(pool, ORDER);
  await sink.write(0, new Uint8Array(512));
  await expect(sink.finish()).rejects.toMatchObject({
    code: 'IMPORT_FAILED',
    message: expect.stringContaining('did not say how it ended within 0.1 s'),
  });
});
