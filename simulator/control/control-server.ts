import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { once } from 'node:events';
import type { Simulator } from '../simulator.ts';
import { toXapiError } from '../xapi-error.ts';
import { ControlError, type ControlRequest } from './control-request.ts';
import { diskRoutes } from './disk-routes.ts';
import { faultRoutes } from './fault-routes.ts';
import { observeRoutes } from './observe-routes.ts';
import { vmRoutes } from './vm-routes.ts';

/** What a route answers: a value for JSON, or bytes. */
export type ControlHandler = (request: ControlRequest) => unknown;
export type ControlRoutes = Readonly<Record<string, ControlHandler>>;

/** The control endpoint: plain HTTP and JSON on 127.0.0.1, for tests and the demo. */
export class ControlServer {
  readonly #simulator: Simulator;
  readonly #server: Server;
  readonly #routes: readonly (readonly [string, RegExp, ControlHandler])[];

  constructor(simulator: Simulator) {
    this.#simulator = simulator;
    const routes = { ...vmRoutes, ...diskRoutes, ...faultRoutes, ...observeRoutes };
    this.#routes = Object.entries(routes).map(([key, handler]) => {
      const [method = '', path = ''] = key.split(' ');
      return [method, new RegExp(`^${path.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}$`), handler];
    });
    this.#server = createServer((request, response) => {
      void this.#answer(request, response);
    });
  }

  /** Returns its URL. */
  async listen(port: number): Promise<string> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : port}`;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const value = await this.#route(request);
      if (Buffer.isBuffer(value)) {
        response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(value);
      } else {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value ?? {}));
      }
    } catch (error) {
      const status = error instanceof ControlError ? error.status : 500;
      const body = { error: toXapiError(error).message, code: toXapiError(error).code };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    }
  }

  async #route(request: IncomingMessage): Promise<unknown> {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    for (const [method, pattern, handler] of this.#routes) {
      const match = method === request.method ? pattern.exec(url.pathname) : null;
      if (match !== null) {
        const body = await readJson(request);
        return await handler({ simulator: this.#simulator, path: { ...match.groups }, query: url.searchParams, body });
      }
    }
    throw new ControlError(
      404,
      `there is no ${request.method ?? ''} ${url.pathname}; simulator/README.md lists what is`,
    );
  }
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = [];
  for await (const part of request) {
    parts.push(part as Buffer);
  }
  const text = Buffer.concat(parts).toString('utf8');
  if (text === '') {
    return {};
  }
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new ControlError(400, 'the body is no JSON');
  }
}
