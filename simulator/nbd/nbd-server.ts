import { type Server, type Socket, createServer } from 'node:net';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { TLSSocket, createSecureContext } from 'node:tls';
import { EndOfStream } from '../http/byte-reader.ts';
import { attachToControlDomain } from '../pool/attachment.ts';
import type { Host } from '../pool/host.ts';
import type { Pool } from '../pool/pool.ts';
import { XapiError } from '../xapi-error.ts';
import { findExport, openExport } from './export.ts';
import { negotiate } from './handshake.ts';
import { nbdMode } from './purpose.ts';
import { transmit } from './transmission.ts';

/** The NBD server of one host: read-only, a limited number of connections, each a disk attached to its control domain. */
export class NbdServer {
  readonly #pool: Pool;
  readonly #host: Host;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(pool: Pool, host: Host) {
    this.#pool = pool;
    this.#host = host;
  }

  async listen(port: number): Promise<number> {
    const server = createServer((socket) => {
      void this.#accept(socket);
    });
    server.listen(port, this.#host.address);
    await once(server, 'listening');
    this.#server = server;
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) {
      return;
    }
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    await closed;
  }

  async #accept(socket: Socket): Promise<void> {
    const { settings } = this.#pool;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {
      // The reader sees the end of the stream.
    });
    if (nbdMode(this.#pool) === 'refused' || this.#host.nbdConnections >= settings.nbdConnections) {
      this.#log('nbd-refused', { connections: this.#host.nbdConnections });
      socket.destroy();
      return;
    }
    this.#host.nbdConnections += 1;
    try {
      await this.#serve(socket);
    } catch (error) {
      if (!(error instanceof EndOfStream)) {
        this.#log('nbd-error', { message: String(error) });
      }
    } finally {
      this.#host.nbdConnections -= 1;
      socket.destroySoon();
    }
  }

  async #serve(socket: Socket): Promise<void> {
    const agreed = await negotiate(socket, nbdMode(this.#pool) === 'tls', (plain) => this.#secure(plain));
    const vdi = agreed === undefined ? undefined : findExport(this.#pool, this.#host, agreed.name);
    if (agreed === undefined || vdi === undefined) {
      return;
    }
    const uuid = this.#pool.db.text('VDI', vdi, 'uuid');
    const where = { pool: this.#pool.name, host: this.#host.uuid, vdi: uuid };
    const fault = await this.#pool.faults.meet({ kind: 'nbd-open', ...where });
    if (fault?.cutAfterBytes !== undefined || fault?.error !== undefined) {
      return;
    }
    const detach = this.#attach(vdi);
    this.#log('nbd-open', { vdi: uuid, tls: agreed.socket !== socket });
    try {
      await transmit(agreed.socket, agreed.reader, openExport(this.#pool, this.#host, vdi, agreed.socket));
    } finally {
      agreed.socket.end();
      detach();
      this.#log('nbd-close', { vdi: uuid });
    }
  }

  #attach(vdi: string): () => void {
    try {
      return attachToControlDomain(this.#pool, this.#host, vdi, 'RO');
    } catch (error) {
      throw error instanceof XapiError ? new EndOfStream(error.message) : error;
    }
  }

  #secure(plain: Duplex): Duplex {
    const { certificate, key } = this.#host.certificate;
    const secureContext = createSecureContext({ cert: certificate, key, minVersion: 'TLSv1.2' });
    const secured = new TLSSocket(plain, { isServer: true, secureContext });
    secured.on('error', () => {
      // The reader sees the end of the stream.
    });
    return secured;
  }

  #log(type: string, details: Record<string, string | number | boolean>): void {
    this.#pool.log.add(type, { pool: this.#pool.name, host: this.#host.uuid, ...details });
  }
}
