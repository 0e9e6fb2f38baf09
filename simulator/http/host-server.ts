import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type Server, createServer } from 'node:tls';
import type { Certificate } from '../certificates/self-signed.ts';
import { serveConnection } from './connection.ts';
import type { Arrival, Routes } from './routes.ts';

/** The web server of one host, on its own address. */
export class HostServer {
  readonly #arrival: () => Arrival;
  readonly #routes: Routes;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(arrival: () => Arrival, routes: Routes) {
    this.#arrival = arrival;
    this.#routes = routes;
  }

  async listen(port: number): Promise<number> {
    const { host } = this.#arrival();
    const { certificate, key } = host.certificate;
    const server = createServer({ cert: certificate, key, minVersion: 'TLSv1.2' });
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {
        // The reader sees the end of the stream.
      });
    });
    server.on('secureConnection', (socket) => {
      void this.#serve(socket);
    });
    server.listen(port, host.address);
    await once(server, 'listening');
    this.#server = server;
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  /** The proxy in front of a host starts again with its new certificate, so connections under the old one end. */
  useCertificate(certificate: Certificate): void {
    this.#server?.setSecureContext({ cert: certificate.certificate, key: certificate.key });
    this.#endConnections();
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) {
      return;
    }
    const closed = once(server, 'close');
    server.close();
    this.#endConnections();
    await closed;
  }

  #endConnections(): void {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
  }

  async #serve(socket: Socket): Promise<void> {
    const arrival = this.#arrival();
    const { pool, host } = arrival;
    socket.setNoDelay(true);
    socket.on('error', () => {
      // The reader sees the end of the stream.
    });
    const fault = await pool.faults.meet({ kind: 'connection', pool: pool.name, host: host.uuid });
    if (fault?.cutAfterBytes !== undefined) {
      socket.destroy();
      return;
    }
    await serveConnection(socket, arrival, this.#routes);
  }
}
