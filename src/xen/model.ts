/** What src/xen tells the rest of Holdfast about pools: plain JSON values. */

export interface CertificatePin {
  readonly hostUuid: string | null;
  /** The host's management address as the pool knows it; informative. */
  readonly address: string;
  /** SHA-256 of the certificate's DER, lower-case hex. */
  readonly sha256: string;
}

export interface HostSummary {
  readonly uuid: string;
  readonly name: string;
  readonly address: string;
  readonly isCoordinator: boolean;
  readonly enabled: boolean;
  readonly live: boolean;
  readonly productBrand: string;
  readonly productVersion: string;
}

/** What a pool can do, found out by asking it. */
export interface PoolCapabilities {
  /** Changed-block tracking is licensed. */
  readonly changedBlocksLicensed: boolean;
  /** SR UUIDs whose driver can track changed blocks. */
  readonly changedBlocksSrs: readonly string[];
  /** How NBD is offered, by the purposes of the pool's networks. */
  readonly nbd: 'TLS' | 'PLAIN' | 'NONE';
  readonly nbdNetworks: readonly string[];
  /** VM.snapshot takes the set of disks to leave out. */
  readonly snapshotIgnoresDisks: boolean;
  readonly checkpointLicensed: boolean;
}

export interface PoolProbe {
  readonly uuid: string;
  readonly name: string;
  readonly productBrand: string;
  readonly productVersion: string;
  readonly coordinatorUuid: string;
  readonly hosts: readonly HostSummary[];
  /** One for every host: pin all of them. */
  readonly certificates: readonly CertificatePin[];
  /** What the dialled address itself presented on this connection, lower-case hex; null without TLS. */
  readonly presentedSha256: string | null;
  readonly capabilities: PoolCapabilities;
}

export interface SrSummary {
  readonly uuid: string;
  readonly name: string;
  readonly type: string;
  readonly contentType: string;
  readonly shared: boolean;
  readonly sizeBytes: number;
  readonly usedBytes: number;
  readonly hostUuids: readonly string[];
  readonly changedBlocks: boolean;
}

export interface NetworkSummary {
  readonly uuid: string;
  readonly name: string;
  readonly bridge: string;
  readonly mtu: number;
  readonly purposes: readonly string[];
}

export interface DiskSummary {
  readonly vdiUuid: string;
  readonly name: string;
  /** Position on the VM's bus, as XAPI counts (`userdevice`). */
  readonly device: string;
  readonly sizeBytes: number;
  readonly srUuid: string;
  readonly bootable: boolean;
}

export interface InterfaceSummary {
  readonly vifUuid: string;
  readonly device: string;
  readonly mac: string;
  readonly networkUuid: string;
}

export interface VmSummary {
  readonly uuid: string;
  readonly name: string;
  readonly description: string;
  readonly powerState: string;
  readonly hostUuid: string | null;
  readonly tags: readonly string[];
  readonly customFields: Readonly<Record<string, string>>;
  readonly vcpus: number;
  readonly memoryBytes: number;
  readonly osName: string | null;
  readonly disks: readonly (DiskSummary & { readonly changedBlocks: boolean })[];
  readonly interfaces: readonly InterfaceSummary[];
}

/** Everything of a pool at one moment; templates, snapshots and control domains are left out. */
export interface InventorySnapshot {
  readonly pool: { readonly uuid: string; readonly name: string; readonly coordinatorUuid: string };
  readonly hosts: readonly HostSummary[];
  readonly srs: readonly SrSummary[];
  readonly networks: readonly NetworkSummary[];
  readonly vms: readonly VmSummary[];
}
