/** What the simulator's control endpoint answers, as `simulator/README.md` describes it: for specs only. */

/** A pool as the ready file names it. */
export interface ReadyPool {
  readonly uuid: string;
  readonly name: string;
  /** The coordinator's. */
  readonly url: string;
  readonly hosts: readonly string[];
  readonly username: string;
  readonly password: string;
  /** The coordinator's, as PEM. */
  readonly certificate: string;
}

export interface Ready {
  /** URL of the endpoint through which a test lets guests write, orders faults and reads the log. */
  readonly control: string;
  readonly pools: readonly ReadyPool[];
}

export interface SimulatedHost {
  readonly uuid: string;
  readonly name: string;
  readonly url: string;
  readonly address: string;
  /** PEM. */
  readonly certificate: string;
}

export interface SimulatedPool {
  readonly name: string;
  readonly uuid: string;
  readonly hosts: readonly SimulatedHost[];
  readonly srs: readonly { readonly uuid: string; readonly name: string; readonly shared: boolean }[];
  readonly networks: readonly { readonly uuid: string; readonly name: string }[];
}

export interface SimulatedDisk {
  readonly uuid: string;
  readonly ref: string;
  readonly device: string;
  readonly sizeBytes: number;
}

export interface SimulatedVm {
  readonly uuid: string;
  readonly ref: string;
  readonly name: string;
  readonly powerState: string;
  readonly isSnapshot: boolean;
  readonly disks: readonly SimulatedDisk[];
  readonly macs: readonly string[];
}

export interface Leftovers {
  readonly pool: string;
  readonly snapshotVms: readonly unknown[];
  readonly snapshotVdis: readonly unknown[];
  readonly cbtMetadataVdis: readonly { readonly uuid: string }[];
  readonly controlDomainVbds: readonly unknown[];
  readonly tasks: readonly unknown[];
  readonly sessions: readonly string[];
  readonly nbdConnections: number;
}

export interface LogEntry {
  readonly seq: number;
  readonly type: string;
  readonly vdi: string;
  readonly offset: number;
  readonly length: number;
  readonly method: string;
}
