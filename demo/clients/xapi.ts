import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { SimulatedPool } from './simulator.ts';

export interface NbdInfo {
  readonly address: string;
  readonly port: number;
  readonly exportname: string;
  readonly cert: string;
}

/** A few calls of XenServer's own API, as an administrator with a script would make them. */
export class XapiClient {
  readonly #pool: SimulatedPool;
  #session = '';

  private constructor(pool: SimulatedPool) {
    this.#pool = pool;
  }

  static async logIn(pool: SimulatedPool): Promise<XapiClient> {
    const client = new XapiClient(pool);
    client.#session = await client.#send('session.login_with_password', [pool.username, pool.password]);
    return client;
  }

  async call<T>(method: string, ...params: readonly unknown[]): Promise<T> {
    return await this.#send<T>(method, [this.#session, ...params]);
  }

  async logOut(): Promise<void> {
    await this.call('session.logout');
  }

  async #send<T>(method: string, params: readonly unknown[]): Promise<T> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const call = request(new URL('/jsonrpc', this.#pool.url), {
      method: 'POST',
      ca: this.#pool.certificate,
      // The certificate is the host's own and names no address; that it is this one is what counts.
      checkServerIdentity: () => undefined,
      agent: false,
      headers: { 'content-length': Buffer.byteLength(body) },
    });
    call.end(body);
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    const answer = JSON.parse(await text(response)) as {
      readonly result?: T;
      readonly error?: { readonly message: string; readonly data: readonly string[] };
    };
    if (answer.error !== undefined) {
      throw new Error(`${method}: ${answer.error.message} ${answer.error.data.join(' ')}`);
    }
    return answer.result as T;
  }
}
