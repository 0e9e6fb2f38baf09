import type { Host } from '../pool/host.ts';
import type { Pool } from '../pool/pool.ts';
import type { Exchange } from './exchange.ts';

/** Where a request arrived. */
export interface Arrival {
  readonly pool: Pool;
  readonly host: Host;
  /** The port that all hosts share. */
  readonly port: number;
}

export type HttpHandler = (exchange: Exchange, arrival: Arrival) => Promise<void>;

/** Handlers by method and path prefix; the longest prefix wins. */
export class Routes {
  readonly #handlers = new Map<string, Map<string, HttpHandler>>();

  add(method: string, prefix: string, handler: HttpHandler): this {
    const known = this.#handlers.get(method) ?? new Map<string, HttpHandler>();
    this.#handlers.set(method, known.set(prefix, handler));
    return this;
  }

  knowsMethod(method: string): boolean {
    return this.#handlers.has(method);
  }

  find(method: string, path: string): HttpHandler | undefined {
    let best: [string, HttpHandler] | undefined;
    for (const entry of this.#handlers.get(method) ?? []) {
      const [prefix] = entry;
      const matches = prefix.length === 1 ? path === prefix : path.startsWith(prefix);
      if (matches && prefix.length > (best?.[0].length ?? -1)) {
        best = entry;
      }
    }
    return best?.[1];
  }
}
