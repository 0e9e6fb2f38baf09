import { randomUUID } from 'node:crypto';
import { Xapi } from 'xen-api';
import transports from 'xen-api/transports/index.mjs';
import { AppError } from '../kernel/errors.ts';
import { abortable } from './abortable.ts';
import type { XapiRecords } from './generated/records.ts';
import { callJsonRpc, NotXapiError, XapiFailureError } from './json-rpc.ts';
import { ANYWHERE, type Dialling } from './dialling.ts';
import { type CertificatePolicy, PinnedTls } from './pinned-tls.ts';
import { atHost, parsePoolAddress } from './xapi-address.ts';
import { fromXapiFailure } from './xapi-errors.ts';
import { parseRecord, parseRecords, type XapiClass } from './xapi-records.ts';

export interface XapiAccess {
  readonly address: string;
  readonly username: string;
  readonly password: string;
  readonly certificates: CertificatePolicy;
  /** Addresses of the pool's other hosts, tried in order when the first one doesn't answer. */
  readonly otherAddresses?: readonly string[];
  /** Anywhere unless given. */
  readonly dialling?: Dialling;
}

/**
 * `xen-api` over our transport. Its own takes one switch for TLS (verify all or nothing), and an undici of another major
 * version whose dispatchers can't be exchanged with ours. It looks its transport up by name in a table, so each
 * connection puts its own there for the length of the constructor; sessions, their renewal and the way to the
 * coordinator stay the package's.
 */
class PinnedXapi {
  readonly xapi: Xapi;
  origin: URL;
  readonly #pending = new Set<Promise<unknown>>();

  constructor(origin: URL, access: XapiAccess, tls: PinnedTls) {
    this.origin = origin;
    const transport = `pinned-${randomUUID()}`;
    transports[transport] = ({ url }) => {
      const target = atHost(origin, url.hostname);
      this.origin = target;
      return async (method, args) => this.#track(callJsonRpc(tls.dispatcher, target, method, args));
    };
    try {
      this.xapi = new Xapi({
        url: origin.href,
        auth: { user: access.username, password: access.password },
        transport,
        watchEvents: false,
        callConcurrency: 64,
        callTimeout: { '*': 300_000, 'session.login_with_password': 30_000, 'session.logout': 5000 },
        roCallRetryOptions: { tries: 3, delay: 500 },
      });
    } finally {
      delete transports[transport];
    }
  }

  /** Logs out and waits for the answer: `disconnect` alone leaves the session behind when the process ends. */
  async logOut(): Promise<void> {
    const before = new Set(this.#pending);
    await this.xapi.disconnect();
    await Promise.allSettled([...this.#pending].filter((call) => !before.has(call)));
  }

  async #track<T>(call: Promise<T>): Promise<T> {
    this.#pending.add(call);
    try {
      return await call;
    } finally {
      this.#pending.delete(call);
    }
  }
}

/** One session with one pool, at its coordinator. Every error it throws is an AppError. */
export class XapiConnection {
  readonly tls: PinnedTls;
  /** Holds for every connection to hosts of the pool, also those that are not XAPI's. */
  readonly dialling: Dialling;
  readonly #pinned: PinnedXapi;

  private constructor(pinned: PinnedXapi, tls: PinnedTls, dialling: Dialling) {
    this.dialling = dialling;
    this.#pinned = pinned;
    this.tls = tls;
  }

  /** Throws POOL_UNREACHABLE, POOL_ADDRESS_REFUSED, POOL_AUTH_FAILED, POOL_CERTIFICATE_CHANGED, POOL_PERMISSION_DENIED. */
  static async open(access: XapiAccess, signal?: AbortSignal): Promise<XapiConnection> {
    const first = parsePoolAddress(access.address);
    const others = (access.otherAddresses ?? []).map((address) => atHost(first, address));
    const origins = [first, ...others.filter((other) => other.host !== first.host)];
    const dialling = access.dialling ?? ANYWHERE;
    let firstError: AppError | undefined;
    for (const origin of origins) {
      const tls = new PinnedTls(access.certificates, dialling);
      const pinned = new PinnedXapi(origin, access, tls);
      try {
        await abortable(pinned.xapi.connect(), signal);
        return new XapiConnection(pinned, tls, dialling);
      } catch (error) {
        await tls.close();
        const translated = translate(error, `Log-in at ${origin.host}`);
        firstError ??= translated;
        if (translated.code !== 'POOL_UNREACHABLE') {
          throw translated;
        }
      }
    }
    throw firstError ?? new AppError('POOL_UNREACHABLE', `The pool at ${access.address} doesn't answer.`);
  }

  /** The coordinator's origin: what the user gave, unless that host sent us on. */
  get origin(): URL {
    return this.#pinned.origin;
  }

  /** A bearer secret: for data handlers and NBD export names only. */
  get sessionRef(): string {
    if (!this.isOpen) {
      throw new AppError('POOL_UNREACHABLE', 'The session with the pool has ended.');
    }
    return this.#pinned.xapi.sessionId;
  }

  get isOpen(): boolean {
    return this.#pinned.xapi.status === 'connected';
  }

  /** A call with positional parameters, without the session. Aborting gives up waiting; the pool may still do it. */
  async call(method: string, params: readonly unknown[] = [], signal?: AbortSignal): Promise<unknown> {
    try {
      return await abortable(this.#pinned.xapi.call(method, ...params), signal);
    } catch (error) {
      throw translate(error, method);
    }
  }

  /** A call whose answer is text: a ref, a bitmap. */
  async callForString(method: string, params: readonly unknown[], signal?: AbortSignal): Promise<string> {
    const answer = await this.call(method, params, signal);
    if (typeof answer !== 'string') {
      throw new AppError('XAPI_RECORD_INVALID', `${method} answered with ${typeof answer} instead of text.`);
    }
    return answer;
  }

  async getRecord<C extends XapiClass>(className: C, ref: string, signal?: AbortSignal): Promise<XapiRecords[C]> {
    return parseRecord(className, ref, await this.call(`${className}.get_record`, [ref], signal));
  }

  async getRefByUuid(className: XapiClass, uuid: string, signal?: AbortSignal): Promise<string> {
    return this.callForString(`${className}.get_by_uuid`, [uuid], signal);
  }

  /** By ref. A whole table: for inventories, not for look-ups. */
  async getAllRecords<C extends XapiClass>(className: C, signal?: AbortSignal): Promise<Map<string, XapiRecords[C]>> {
    return parseRecords(className, await this.call(`${className}.get_all_records`, [], signal));
  }

  /** Logs out and closes every socket. Never throws: what can't be said to the pool expires there. */
  async close(): Promise<void> {
    try {
      await this.#pinned.logOut();
    } catch {
      // The pool drops idle sessions by itself.
    }
    await this.tls.close();
  }
}

function translate(error: unknown, during: string): AppError {
  if (error instanceof AppError) {
    return error;
  }
  if (error instanceof XapiFailureError) {
    return fromXapiFailure(error, during);
  }
  const reason = error instanceof Error ? error.message : String(error);
  const what = error instanceof NotXapiError ? 'what answered is not XAPI' : 'no answer from the pool';
  return new AppError('POOL_UNREACHABLE', `${during}: ${what} (${reason}).`, { data: { during }, cause: error });
}
