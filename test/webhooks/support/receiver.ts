import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A webhook receiver over real HTTP: keeps what came and answers as it is told. */
export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly received: readonly Received[];
  /** Resolves with the request of that number (from 1), whenever it comes. */
  nth(count: number): Promise<Received>;
  close(): Promise<void>;
}

export async function startReceiver(
  answer: (request: Received, count: number) => Reply | Promise<Reply> = () => ({ status: 204 }),
  port = 0,
): Promise<Receiver> {
  const received: Received[] = [];
  const waiting = new Map<number, PromiseWithResolvers<Received>>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = { headers: request.headers, body: Buffer.concat(chunks).toString() };
      received.push(one);
      waiting.get(received.length)?.resolve(one);
      void reply(response, answer(one, received.length));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}/hook`,
    port: address.port,
    received,
    nth: async (count) => {
      const already = received[count - 1];
      if (already !== undefined) {
        return already;
      }
      const later = waiting.get(count) ?? Promise.withResolvers<Received>();
      waiting.set(count, later);
      return later.promise;
    },
    close: async () => stop(server),
  };
}

async function reply(response: ServerResponse, answer: Reply | Promise<Reply>): Promise<void> {
  const { status, headers = {}, body = '' } = await answer;
  response.writeHead(status, headers);
  response.end(body);
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

/** What the off-the-shelf library makes of a request; throws where it finds the signature wrong. */
export function verify(received: Received, secret: string): { id: string; type: string; [key: string]: unknown } {
  const headers = Object.fromEntries(
    ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => [name, String(received.headers[name])]),
  );
  return new Webhook(secret).verify(received.body, headers) as { id: string; type: string };
}
