import type { Dialling } from '../dialling.ts';

/** Where a disk can be read over NBD. `exportName` carries the session and is a bearer secret. */
export interface NbdExport {
  readonly address: string;
  readonly port: number;
  readonly exportName: string;
  /** Where the connection may lead; anywhere unless given. */
  readonly dialling?: Dialling;
  /** Null: plain, as the network's purpose says. */
  readonly tls: {
    /** Of the one certificate that is believed, lower-case hex. */
    readonly certificateSha256: string;
    /** The name that the certificate must be for. */
    readonly subject: string;
  } | null;
}
