import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';

/** A CloudEvents body, as far as billing reads it. */
export interface ReceivedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A billing system's end of the webhook. Signatures are checked by the library that everybody uses, not by our code. */
export class WebhookReceiver {
  readonly events: ReceivedEvent[] = [];
  #refused = 0;
  #verifier: Webhook | null = null;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      this.#receive(request, response).catch(() => response.destroy());
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/usage`;
  }

  /** The secret that was shown once when the endpoint was made. */
  trust(secret: string): void {
    this.#verifier = new Webhook(secret);
  }

  get refused(): number {
    return this.#refused;
  }

  /** Waits until the events satisfy; throws after `withinMs`. */
  async until(satisfied: (events: readonly ReceivedEvent[]) => boolean, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!satisfied(this.events)) {
      if (performance.now() > deadline) {
        const types = this.events.map(({ type }) => type).join(', ');
        throw new Error(`the webhooks did not come within ${withinMs / 1000} s; there were: ${types || 'none'}`);
      }
      await delay(100);
    }
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const headers = {
      'webhook-id': String(request.headers['webhook-id']),
      'webhook-timestamp': String(request.headers['webhook-timestamp']),
      'webhook-signature': String(request.headers['webhook-signature']),
    };
    try {
      const event = this.#verifier?.verify(body, headers) as ReceivedEvent;
      if (!this.events.some(({ id }) => id === event.id)) {
        this.events.push(event);
      }
      response.writeHead(204).end();
    } catch {
      // Not signed by whom we trust.
      this.#refused += 1;
      response.writeHead(401).end();
    }
  }
}
