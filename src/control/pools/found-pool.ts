/** What a mover found out about a pool: the parts of its answers that the catalogue keeps. */
export interface FoundPool {
  readonly uuid: string;
  readonly productBrand: string;
  readonly productVersion: string;
  readonly certificates: readonly FoundCertificate[];
  /** What the dialled address itself showed, lower-case hex; null without TLS. */
  readonly presentedSha256: string | null;
  readonly capabilities: Capabilities;
}

export interface FoundCertificate {
  readonly address: string;
  /** SHA-256 of the certificate's DER, lower-case hex. */
  readonly sha256: string;
}

export interface Capabilities {
  readonly changedBlocksLicensed: boolean;
  readonly nbd: 'TLS' | 'PLAIN' | 'NONE';
  readonly checkpointLicensed: boolean;
}

export interface FoundInventory {
  readonly hosts: readonly { readonly uuid: string; readonly name: string; readonly address: string }[];
  readonly srs: readonly FoundSr[];
  readonly networks: readonly {
    readonly uuid: string;
    readonly name: string;
    readonly bridge: string;
    readonly purposes: readonly string[];
  }[];
  readonly vms: readonly FoundVm[];
}

/** Sizes in bytes, -1 where the driver doesn't say. */
export interface FoundSr {
  readonly uuid: string;
  readonly name: string;
  readonly type: string;
  readonly shared: boolean;
  readonly sizeBytes: number;
  readonly usedBytes: number;
  readonly changedBlocks: boolean;
}

export interface FoundVm {
  readonly uuid: string;
  readonly name: string;
  readonly powerState: string;
  readonly tags: readonly string[];
  readonly vcpus: number;
  readonly memoryBytes: number;
  readonly disks: readonly {
    readonly vdiUuid: string;
    readonly srUuid: string;
    readonly name: string;
    readonly device: string;
    readonly sizeBytes: number;
    readonly changedBlocks: boolean;
  }[];
  readonly interfaces: readonly { readonly device: string; readonly mac: string; readonly networkUuid: string }[];
}
