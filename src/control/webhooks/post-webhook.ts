import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { AddressPolicy } from './address-policy.ts';
import { resolveTarget, TargetRefused, type Resolve, type Target } from './resolve-target.ts';
import { parseRetryAfter } from './retry-schedule.ts';

export interface WebhookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What came of one attempt. A status is there when the receiver answered. */
export interface WebhookAnswer {
  readonly outcome: 'DELIVERED' | 'GONE' | 'RETRY';
  readonly status: number | null;
  readonly error: string | null;
  readonly retryAfterMs: number | undefined;
}

export interface PostOptions {
  readonly policy: AddressPolicy;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly resolve?: Resolve;
  /** PEM of authorities besides the ones the machine trusts. */
  readonly extraAuthority?: string;
}

// An answer is a status; its text is read only so far that the connection can end properly.
const ANSWER_CAP_BYTES = 16 * 1024;

/** Posts once, to one judged address, following no redirect. Never throws: an attempt always comes to an answer. */
export async function postWebhook(request: WebhookRequest, options: PostOptions): Promise<WebhookAnswer> {
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
  try {
    const url = new URL(request.url);
    const target = await withSignal(resolveTarget(url, options.policy, options.resolve), signal);
    return toAnswer(await send(url, target, request, { ...options, signal }));
  } catch (error) {
    const message = timeout.aborted ? `No answer within ${options.timeoutMs / 1000} s.` : describe(error);
    return { outcome: 'RETRY', status: null, error: message, retryAfterMs: undefined };
  }
}

async function withSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => {
    aborted.reject(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function send(
  url: URL,
  target: Target,
  request: WebhookRequest,
  options: PostOptions & { readonly signal: AbortSignal },
): Promise<IncomingMessage> {
  const body = Buffer.from(request.body);
  const answered = Promise.withResolvers<IncomingMessage>();
  const posted = (url.protocol === 'https:' ? requestHttps : requestHttp)({
    host: target.address,
    family: target.family,
    port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
    path: url.pathname + url.search,
    method: 'POST',
    // A connection of its own, which ends with the attempt: a pooled one might lead elsewhere.
    agent: false,
    signal: options.signal,
    ...(url.protocol === 'https:' ? tlsOptions(url, options.extraAuthority) : {}),
    headers: {
      ...request.headers,
      host: url.host,
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'content-length': String(body.length),
      'user-agent': 'Holdfast-Webhooks/1',
      connection: 'close',
    },
  });
  posted.on('error', answered.reject);
  posted.on('response', (response) => {
    // The status is the answer: that the connection breaks later changes nothing.
    posted.on('error', () => {
      answered.resolve(response);
    });
    posted.off('error', answered.reject);
    drain(response, posted, answered);
  });
  posted.end(body);
  return answered.promise;
}

function tlsOptions(url: URL, extraAuthority: string | undefined): object {
  return {
    servername: /^[\d.]+$|:/.test(url.hostname) ? '' : url.hostname,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(extraAuthority === undefined ? {} : { ca: extraAuthority }),
  };
}

function drain(
  response: IncomingMessage,
  posted: ClientRequest,
  answered: PromiseWithResolvers<IncomingMessage>,
): void {
  let seen = 0;
  const finish = (): void => {
    answered.resolve(response);
    posted.destroy();
  };
  response.on('data', (chunk: Buffer) => {
    seen += chunk.length;
    if (seen > ANSWER_CAP_BYTES) {
      finish();
    }
  });
  response.on('end', finish);
  response.on('error', finish);
}

function toAnswer(response: IncomingMessage): WebhookAnswer {
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) {
    return { outcome: 'DELIVERED', status, error: null, retryAfterMs: undefined };
  }
  const asked = status === 429 || status === 503 ? response.headers['retry-after'] : undefined;
  const redirected = status >= 300 && status < 400;
  return {
    outcome: status === 410 ? 'GONE' : 'RETRY',
    status,
    error: redirected ? 'The receiver redirected; redirects are not followed.' : `The receiver answered ${status}.`,
    retryAfterMs: parseRetryAfter(asked, Date.now()),
  };
}

function describe(error: unknown): string {
  if (error instanceof TargetRefused) {
    return error.message;
  }
  // What a resolver or socket says may name inner addresses: its code is enough for the endpoint's owner.
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
  return `The receiver could not be reached (${code}).`;
}
