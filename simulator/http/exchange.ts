import type { Duplex } from 'node:stream';
import type { ByteReader } from './byte-reader.ts';

export interface RequestHead {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly version: '1.0' | '1.1';
  readonly headers: ReadonlyMap<string, string>;
}

/** One request and its answer on a connection. */
export class Exchange {
  readonly head: RequestHead;
  readonly body: ByteReader;
  readonly socket: Duplex;
  /** Set by handlers that end the connection, as all data handlers do. */
  close: boolean;
  /** When set, the connection is cut once this many more bytes went out. */
  cutAfterBytes: number | undefined;

  constructor(head: RequestHead, body: ByteReader, socket: Duplex) {
    this.head = head;
    this.body = body;
    this.socket = socket;
    const connection = head.headers.get('connection')?.toLowerCase();
    this.close = connection === 'close' || (head.version === '1.0' && connection !== 'keep-alive');
  }

  /** The announced length of the body, or undefined. */
  get contentLength(): number | undefined {
    const length = this.head.headers.get('content-length');
    return length === undefined ? undefined : Number(length);
  }

  /** A parameter by its name, from the query or from a cookie, as XAPI takes them. */
  parameter(name: string): string | undefined {
    return this.head.query.get(name) ?? this.#cookies().get(name);
  }

  async reply(status: string, headers: Readonly<Record<string, string>>, body: string | Buffer = ''): Promise<void> {
    const bytes = Buffer.from(body);
    await this.sendHead(status, { ...headers, 'content-length': String(bytes.length) });
    await this.send(bytes);
  }

  /** Only the head: a body of unknown length follows, or none. */
  async sendHead(status: string, headers: Readonly<Record<string, string>>): Promise<void> {
    const lines = Object.entries({ connection: this.close ? 'close' : 'keep-alive', ...headers });
    const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    await this.send(Buffer.from(`HTTP/1.1 ${status}\r\ncache-control: no-cache, no-store\r\n${text}\r\n`));
  }

  async send(bytes: Buffer): Promise<void> {
    const allowed = this.cutAfterBytes;
    const part = allowed === undefined ? bytes : bytes.subarray(0, allowed);
    await this.#write(part);
    if (allowed !== undefined) {
      this.cutAfterBytes = allowed - part.length;
      if (this.cutAfterBytes === 0) {
        this.socket.destroy();
      }
    }
  }

  async #write(bytes: Buffer): Promise<void> {
    if (bytes.length === 0 || this.socket.destroyed || this.socket.write(bytes)) {
      return;
    }
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.socket.off('drain', done);
        this.socket.off('close', done);
        resolve();
      };
      this.socket.on('drain', done);
      this.socket.on('close', done);
    });
  }

  #cookies(): Map<string, string> {
    const pairs = (this.head.headers.get('cookie') ?? '').split(/[;,]\s*/).map((pair) => pair.split('='));
    return new Map(pairs.map(([name = '', ...rest]) => [name.trim(), decodeURIComponent(rest.join('='))]));
  }
}
