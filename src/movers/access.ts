import type { CertificatePin } from '../xen/model.ts';

/** How a mover reaches a pool for one attempt. Secrets: never in a workflow payload, a log or an error. */
export interface PoolAccess {
  /** As the user gave it: `host`, `host:port` or `https://host:port`. The port holds for every host of the pool. */
  readonly address: string;
  readonly username: string;
  readonly password: string;
  /** Every host's certificate; a host that shows another one is POOL_CERTIFICATE_CHANGED. */
  readonly certificates: readonly CertificatePin[];
  /** Whether the pool may be on the mover's own machine, or what only that one reaches; it may unless this is false. */
  readonly ownMachine?: boolean;
}

/** A pool that is being added: its certificates aren't known yet and are reported. */
export interface NewPoolAccess {
  readonly address: string;
  readonly username: string;
  readonly password: string;
  readonly certificates: readonly CertificatePin[] | null;
  readonly ownMachine?: boolean;
}

/** Where a vault's bytes are. Keys and leases are asked for through the call's context, not carried here. */
export interface VaultAccess {
  readonly tenantId: string;
  /** Also the id of the repository inside it. */
  readonly vaultId: string;
  readonly location: VaultLocation;
}

/** A vault that its tenant may not use any more, for good: its storage grant was revoked. */
export type ClosedVault = Pick<VaultAccess, 'tenantId' | 'vaultId'> & { readonly location: null };

export interface VaultLocation {
  readonly kind: 'directory';
  /** Absolute path as the mover sees it. */
  readonly path: string;
}
