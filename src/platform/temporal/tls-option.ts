import type { TLSConfig } from '@temporalio/client';
import type { TemporalTls } from '../config/tls.ts';

/** The part of a connection's options that decides on TLS. */
export function toTlsOption(tls: TemporalTls | undefined): { tls?: TLSConfig } {
  if (tls === undefined) {
    return {};
  }
  const { authority, client } = tls;
  return {
    tls: {
      ...(authority === undefined ? {} : { serverRootCACertificate: Buffer.from(authority) }),
      ...(client === undefined
        ? {}
        : { clientCertPair: { crt: Buffer.from(client.certificate), key: Buffer.from(client.key) } }),
    },
  };
}
