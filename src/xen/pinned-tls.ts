import { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import { connect as tlsConnect, TLSSocket } from 'node:tls';
import { Agent, buildConnector } from 'undici';
import { AppError } from '../kernel/errors.ts';
import { ANYWHERE, type Dialling, diallingOptions, refuseHost } from './dialling.ts';

/**
 * Which certificates are believed. `pinned`: SHA-256 fingerprints (lower-case hex) of all hosts of the pool; any of
 * them is accepted at any of the pool's addresses, since every host holds the pool's secret anyway and a coordinator
 * may move. `report`: first contact, when nothing is known yet; what was presented is kept for the user to confirm.
 */
export type CertificatePolicy =
  | { readonly mode: 'pinned'; readonly sha256: readonly string[] }
  | { readonly mode: 'report' };

/** `AB:CD:…` or hex in any case → lower-case hex without separators. */
export function normaliseFingerprint(text: string): string {
  return text.replaceAll(/[:\s]/g, '').toLowerCase();
}

/** SHA-256 of a PEM certificate's DER, lower-case hex: the same value that a TLS peer shows. */
export function fingerprintOfPem(pem: string): string {
  return normaliseFingerprint(new X509Certificate(pem).fingerprint256);
}

/** Opens TLS to hosts of one pool and lets only pinned certificates through, before a byte of ours is sent. */
export class PinnedTls {
  readonly dispatcher: Agent;
  /** What was presented, by `address:port`: the last fingerprint each. */
  readonly presented = new Map<string, string>();
  readonly #allowed: ReadonlySet<string> | null;
  readonly #dialling: Dialling;
  readonly #connect: ReturnType<typeof buildConnector>;

  constructor(policy: CertificatePolicy, dialling: Dialling = ANYWHERE) {
    this.#dialling = dialling;
    this.#allowed = policy.mode === 'report' ? null : new Set(policy.sha256.map(normaliseFingerprint));
    // Chains of trust say nothing about self-signed hosts; the fingerprint is what is checked, in #check.
    // Sessions aren't resumed: a resumed one shows no certificate.
    const handshake = { rejectUnauthorized: false, timeout: 20_000, maxCachedSessions: 0 };
    this.#connect = buildConnector({ ...handshake, ...diallingOptions(dialling) });
    this.dispatcher = new Agent({
      keepAliveTimeout: 10_000,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (options, callback) => {
        const refused = refuseHost(dialling, options.hostname);
        if (refused !== null) {
          callback(refused, null);
          return;
        }
        this.#connect(options, (...[error, socket]) => {
          if (error !== null) {
            callback(error, null);
            return;
          }
          const refusal = this.#check(socket, options.hostname, options.port === '' ? '443' : options.port);
          if (refusal === null) {
            callback(null, socket);
          } else {
            socket.destroy();
            callback(refusal, null);
          }
        });
      },
    });
  }

  /** A raw TLS (or, for `http:` addresses, plain) socket to a host, checked like every other connection. */
  async openSocket(url: URL, signal: AbortSignal | undefined): Promise<Socket> {
    signal?.throwIfAborted();
    const refused = refuseHost(this.#dialling, url.hostname);
    if (refused !== null) {
      throw refused;
    }
    const socket = await new Promise<Socket>((resolve, reject) => {
      this.#connect(
        { hostname: url.hostname, host: url.host, protocol: url.protocol, port: url.port },
        (...[error, socket]) => {
          if (error === null) {
            resolve(socket);
          } else {
            reject(error);
          }
        },
      );
    });
    const refusal = this.#check(socket, url.hostname, url.port === '' ? '443' : url.port);
    if (refusal !== null) {
      socket.destroy();
      throw refusal;
    }
    return socket;
  }

  async close(): Promise<void> {
    await this.dispatcher.destroy();
  }

  #check(socket: Socket, address: string, port: string): AppError | null {
    if (!(socket instanceof TLSSocket)) {
      return null;
    }
    const { raw } = socket.getPeerX509Certificate() ?? {};
    const shown = raw === undefined ? '' : normaliseFingerprint(new X509Certificate(raw).fingerprint256);
    this.presented.set(`${address}:${port}`, shown);
    return this.#allowed === null || this.#allowed.has(shown) ? null : certificateChanged(`${address}:${port}`, shown);
  }
}

/** TLS over a socket that is already open (NBD's STARTTLS), for exactly one certificate. */
export async function upgradeToTls(
  socket: Socket,
  peer: { readonly address: string; readonly certificateSha256: string; readonly subject: string },
): Promise<TLSSocket> {
  const secure = await new Promise<TLSSocket>((resolve, reject) => {
    const tls = tlsConnect({ socket, rejectUnauthorized: false, ...serverName(peer.subject) });
    tls.once('error', reject);
    tls.once('secureConnect', () => {
      tls.off('error', reject);
      resolve(tls);
    });
  });
  const certificate = secure.getPeerX509Certificate();
  const shown = certificate === undefined ? '' : normaliseFingerprint(certificate.fingerprint256);
  if (certificate === undefined || shown !== peer.certificateSha256 || !isFor(certificate, peer.subject)) {
    secure.destroy();
    throw certificateChanged(peer.address, shown);
  }
  return secure;
}

/** `subject` is a DNS name, a wildcard as it stands in the certificate, or a bare host name. */
function isFor(certificate: X509Certificate, subject: string): boolean {
  const plain = subject.replace(/^\*\./, 'any.');
  return (isIP(plain) === 0 ? certificate.checkHost(plain) : certificate.checkIP(plain)) !== undefined;
}

/** SNI takes names only, and a wildcard subject is none. */
function serverName(subject: string): { servername?: string } {
  return /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(subject) && !/^[\d.]+$/.test(subject) ? { servername: subject } : {};
}

function certificateChanged(address: string, shown: string): AppError {
  return new AppError(
    'POOL_CERTIFICATE_CHANGED',
    `The host at ${address} presented a certificate that is not among the pool's pinned ones.`,
    { data: { address, presentedSha256: shown } },
  );
}
