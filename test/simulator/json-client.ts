import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { type TLSSocket, connect } from 'node:tls';
import { text } from 'node:stream/consumers';
import type { ReadyPool } from '../../src/xen/spec-simulated.ts';

/** An error of the pool: `[CODE, p1, …]`. */
export class PoolError extends Error {
  readonly description: readonly string[];

  constructor(description: readonly string[]) {
    super(description.join(' '));
    this.description = description;
  }
}

export async function post(url: string, path: string, body: string, headers: object = {}): Promise<IncomingMessage> {
  const outgoing = request(new URL(path, url), {
    method: 'POST',
    rejectUnauthorized: false,
    agent: false,
    headers: { 'content-length': Buffer.byteLength(body), ...headers },
  });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return response;
}

/** The least client that can be: one JSON-RPC call per connection. */
export class JsonClient {
  readonly url: string;
  session = '';

  constructor(url: string) {
    this.url = url;
  }

  static async login(pool: Pick<ReadyPool, 'url' | 'username' | 'password'>): Promise<JsonClient> {
    const client = new JsonClient(pool.url);
    client.session = await client.raw('session.login_with_password', pool.username, pool.password);
    return client;
  }

  /** A call with the session. */
  async call<T>(method: string, ...params: readonly unknown[]): Promise<T> {
    return await this.raw<T>(method, this.session, ...params);
  }

  async raw<T>(method: string, ...params: readonly unknown[]): Promise<T> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const answer = JSON.parse(await text(await post(this.url, '/jsonrpc', body))) as {
      result?: T;
      error?: { message: string; data: string[] };
    };
    if (answer.error !== undefined) {
      throw new PoolError([answer.error.message, ...answer.error.data]);
    }
    return answer.result as T;
  }

  /** What the call fails with. */
  async failure(method: string, ...params: readonly unknown[]): Promise<readonly string[]> {
    try {
      await this.call(method, ...params);
    } catch (error) {
      if (error instanceof PoolError) {
        return error.description;
      }
      throw error;
    }
    throw new Error(`${method} did not fail`);
  }

  /** A TLS connection to the host, to speak HTTP on by hand. */
  async open(): Promise<TLSSocket> {
    const { hostname, port } = new URL(this.url);
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    return socket;
  }

  /**
   * Sends a request as it stands and returns everything that comes back until the end; hangs up at the first answer
   * where told to.
   */
  async exchange(head: string, body: Buffer = Buffer.alloc(0), hangUp = false): Promise<Buffer> {
    const socket = await this.open();
    const parts: Buffer[] = [];
    socket.on('data', (part: Buffer) => {
      parts.push(part);
      if (hangUp) {
        socket.end();
      }
    });
    socket.on('error', () => {
      // A server that hangs up is an answer too.
    });
    const closed = new Promise<void>((resolve) => {
      socket.on('close', () => resolve());
    });
    socket.write(head);
    socket.write(body);
    await closed;
    return Buffer.concat(parts);
  }
}
