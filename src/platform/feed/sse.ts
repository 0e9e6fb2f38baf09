import type { ServerResponse } from 'node:http';

export interface SseMessage {
  /** Comes back as `Last-Event-ID`. */
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

export interface SseOptions {
  readonly heartbeatMs?: number;
  /** A client that takes nothing for this long is let go; it comes back with `Last-Event-ID`. */
  readonly patienceMs?: number;
}

const HEARTBEAT_MS = 10_000;
const PATIENCE_MS = 30_000;
/** How soon a client comes back. */
const RETRY_MS = 2_000;

/**
 * Sends messages as server-sent events until there are no more or the client has gone. The next message is taken only
 * when the one before it has left, so that nothing piles up for a slow client.
 */
export async function sendEvents(
  response: ServerResponse,
  messages: AsyncIterable<SseMessage>,
  options: SseOptions = {},
): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  response.write(`retry: ${RETRY_MS}\n\n`);
  const heartbeat = setInterval(() => {
    if (!response.writableNeedDrain) {
      response.write(':\n\n');
    }
  }, options.heartbeatMs ?? HEARTBEAT_MS);
  try {
    for await (const { id, event, data } of messages) {
      const taken = response.write(`id: ${id}\nevent: ${event}\ndata: ${data.replaceAll('\n', '\ndata: ')}\n\n`);
      if (!taken && !(await drained(response, options.patienceMs ?? PATIENCE_MS))) {
        response.destroy();
        return;
      }
    }
  } finally {
    clearInterval(heartbeat);
    response.end();
  }
}

/** False where the client took nothing in time, or went away. */
async function drained(response: ServerResponse, patienceMs: number): Promise<boolean> {
  return await new Promise<boolean>((resolve) => {
    const timer = setTimeout(done, patienceMs, false);
    const onDrain = (): void => done(true);
    const onClose = (): void => done(false);
    response.once('drain', onDrain);
    response.once('close', onClose);
    function done(taken: boolean): void {
      clearTimeout(timer);
      response.off('drain', onDrain);
      response.off('close', onClose);
      resolve(taken);
    }
  });
}
