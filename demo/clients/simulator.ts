/** What the simulator's ready file says. */
export interface SimulatorReady {
  readonly control: string;
  readonly pools: readonly SimulatedPool[];
}

export interface SimulatedPool {
  readonly uuid: string;
  readonly name: string;
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** The coordinator's, as PEM. */
  readonly certificate: string;
}

export interface SimulatedVm {
  readonly pool: string;
  readonly uuid: string;
  readonly name: string;
  readonly powerState: string;
  readonly isSnapshot: boolean;
  readonly disks: readonly { readonly uuid: string; readonly device: string; readonly sizeBytes: number }[];
  readonly macs: readonly string[];
}

/** What was made in a pool and is still there. */
export interface PoolLeftovers {
  readonly pool: string;
  readonly snapshotVms: readonly object[];
  readonly snapshotVdis: readonly object[];
  /** Disks of which only the changed-block bitmap is left. */
  readonly cbtMetadataVdis: readonly object[];
  readonly controlDomainVbds: readonly object[];
  readonly nbdConnections: number;
}

/** The simulator's control endpoint: guests that write, digests that don't come from our code, the log of what was read. */
export class SimulatorClient {
  readonly ready: SimulatorReady;

  constructor(ready: SimulatorReady) {
    this.ready = ready;
  }

  pool(name: string): SimulatedPool {
    const pool = this.ready.pools.find((one) => one.name === name);
    if (pool === undefined) {
      throw new Error(`the simulator has no pool ${name}`);
    }
    return pool;
  }

  async vm(uuid: string): Promise<SimulatedVm> {
    return await this.#ask<SimulatedVm>('GET', `/vms/${uuid}`);
  }

  async vms(): Promise<readonly SimulatedVm[]> {
    return await this.#ask<SimulatedVm[]>('GET', '/vms');
  }

  async addVm(order: {
    readonly pool: string;
    readonly name: string;
    readonly disks: readonly { readonly image: string; readonly name: string }[];
  }): Promise<SimulatedVm> {
    return await this.#ask<SimulatedVm>('POST', '/vms', order);
  }

  /** The guest writes `length` bytes that the seed stands for. */
  async write(vdi: string, offset: number, length: number, randomSeed: string): Promise<void> {
    await this.#ask('POST', `/vdis/${vdi}/write`, { offset, length, randomSeed });
  }

  async digest(vdi: string): Promise<string> {
    return (await this.#ask<{ sha256: string }>('GET', `/vdis/${vdi}/digest`)).sha256;
  }

  /** Bytes that were read over NBD since the log was last emptied. */
  async bytesRead(): Promise<number> {
    const reads = await this.#ask<readonly { readonly length: number }[]>('GET', '/log?type=nbd-read');
    return reads.reduce((sum, { length }) => sum + length, 0);
  }

  async leftovers(): Promise<readonly PoolLeftovers[]> {
    return await this.#ask<PoolLeftovers[]>('GET', '/leftovers');
  }

  async forgetLog(): Promise<void> {
    await this.#ask('DELETE', '/log');
  }

  async #ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(new URL(path, this.ready.control), {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`simulator: ${method} ${path} answered ${response.status}: ${text}`);
    }
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }
}
