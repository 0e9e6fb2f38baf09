import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What goes wrong with one request on its way to the server and back. */
export type ProxyFault =
  /** The server never sees it; the client gets this. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly code: string;
      readonly headers?: Readonly<Record<string, string>>;
      /** In place of an error with that code. */
      readonly body?: string;
    }
  /** The connection breaks once this much of the request's body has reached the server. */
  | { readonly kind: 'cut-request'; readonly afterBytes: number }
  /** The server does it, and the client never hears of it. */
  | { readonly kind: 'lose-answer' }
  /** The server never sees it, and the client waits. */
  | { readonly kind: 'stall' }
  /** The connection breaks once this much of the answer's body has reached the client. */
  | { readonly kind: 'cut-answer'; readonly afterBytes: number };

export interface S3Proxy {
  readonly endpoint: string;
  /** `PUT /bucket/key` of every request so far. */
  readonly requests: readonly string[];
  /** Begins `requests` anew. */
  forget(): void;
  /** What happens to the next requests of a method, one fault each, in this order; all later ones pass. */
  fail(method: string, ...faults: readonly ProxyFault[]): void;
  /** Decides about every request for which no fault was ordered, from now on. */
  onRequest(decide: (line: string, query: string) => ProxyFault | undefined): void;
  /** Answers requests with this header 403, from now on. */
  refuseHeader(name: string): void;
  /** Runs after the server has done the next request of a method, before its answer goes on. */
  afterNext(method: string, work: () => Promise<void>): void;
  close(): Promise<void>;
}

const DENIED: ProxyFault = { kind: 'answer', status: 403, code: 'AccessDenied' };

/** Stands between a client and an S3 server, and does to requests what networks do. */
export async function startS3Proxy(upstream: string): Promise<S3Proxy> {
  const target = new URL(upstream);
  const requests: string[] = [];
  const faults = new Map<string, ProxyFault[]>();
  const after = new Map<string, () => Promise<void>>();
  let refused: string | null = null;
  let decide: (line: string, query: string) => ProxyFault | undefined = () => undefined;

  const server = createServer((from, to) => {
    const method = from.method ?? '';
    const [path, query = ''] = (from.url ?? '').split('?');
    const line = `${method} ${path}`;
    requests.push(line);
    const isRefused = refused !== null && from.headers[refused] !== undefined;
    const fault = isRefused ? DENIED : (faults.get(method)?.shift() ?? decide(line, query));
    const work = after.get(method);
    after.delete(method);
    if (fault?.kind === 'answer') {
      from.resume().once('end', () => refuse(to, fault));
    } else if (fault?.kind === 'stall') {
      from.resume();
    } else {
      forward({ from, to, target, fault, work });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    requests,
    forget: () => void requests.splice(0),
    fail: (method, ...more) => void faults.set(method, [...(faults.get(method) ?? []), ...more]),
    onRequest: (decision) => void (decide = decision),
    refuseHeader: (name) => void (refused = name),
    afterNext: (method, work) => void after.set(method, work),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function refuse(to: ServerResponse, { status, code, headers, body }: ProxyFault & { readonly kind: 'answer' }): void {
  to.writeHead(status, { 'content-type': 'application/xml', ...headers });
  to.end(body ?? `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}

interface Forwarded {
  readonly from: IncomingMessage;
  readonly to: ServerResponse;
  readonly target: URL;
  readonly fault: Exclude<ProxyFault, { readonly kind: 'answer' | 'stall' }> | undefined;
  readonly work: (() => Promise<void>) | undefined;
}

function forward({ from, to, target, fault, work }: Forwarded): void {
  const { expect: _met, ...headers } = from.headers;
  const { hostname, port } = target;
  const onward = request({ hostname, port, method: from.method, path: from.url, headers, agent: false });
  const breakOff = (): void => {
    onward.destroy();
    from.socket.destroy();
  };
  onward.on('error', breakOff);
  from.on('error', breakOff);
  onward.on('response', (answer) => {
    answer.on('error', breakOff);
    const goOn = async (): Promise<void> => {
      await work?.();
      if (fault?.kind === 'lose-answer') {
        breakOff();
      } else {
        to.writeHead(answer.statusCode ?? 502, answer.headers);
        pass(answer, to, fault?.kind === 'cut-answer' ? { afterBytes: fault.afterBytes, breakOff } : undefined);
      }
    };
    goOn().catch(breakOff);
  });
  pass(from, onward, fault?.kind === 'cut-request' ? { afterBytes: fault.afterBytes, breakOff } : undefined);
}

interface Cut {
  readonly afterBytes: number;
  readonly breakOff: () => void;
}

function pass(from: IncomingMessage, to: NodeJS.WritableStream, cut: Cut | undefined): void {
  if (cut === undefined) {
    from.pipe(to);
    return;
  }
  let left = cut.afterBytes;
  from.on('data', (piece: Buffer) => {
    const part = piece.subarray(0, left);
    left -= part.length;
    if (left > 0) {
      to.write(part);
    } else {
      from.removeAllListeners('data');
      to.write(part, () => cut.breakOff());
    }
  });
  from.on('end', () => void to.end());
}
