import type { SimulatedPool, SimulatorReady } from '../support/simulator.ts';

export interface SimulatedVm {
  readonly uuid: string;
  readonly name: string;
  readonly powerState: string;
  readonly isSnapshot: boolean;
  readonly disks: readonly { readonly uuid: string; readonly device: string; readonly sizeBytes: number }[];
  readonly macs: readonly string[];
}

export interface Leftovers {
  readonly pool: string;
  readonly snapshotVms: readonly unknown[];
  readonly snapshotVdis: readonly unknown[];
  readonly cbtMetadataVdis: readonly unknown[];
  readonly controlDomainVbds: readonly unknown[];
  readonly tasks: readonly unknown[];
  readonly nbdConnections: number;
}

export interface LogEntry {
  readonly seq: number;
  readonly type: string;
  readonly vdi: string;
  readonly offset: number;
  readonly length: number;
}

/** The simulator's control endpoint, as its README describes it. */
export class SimulatorControl {
  constructor(private readonly ready: SimulatorReady) {}

  pool(name: string): SimulatedPool {
    const pool = this.ready.pools.find((each) => each.name === name);
    if (pool === undefined) {
      throw new Error(`the simulator has no pool ${name}`);
    }
    return pool;
  }

  async get<T>(path: string): Promise<T> {
    return await this.#ask<T>('GET', path);
  }

  async post<T>(path: string, body: unknown = {}): Promise<T> {
    return await this.#ask<T>('POST', path, body);
  }

  async clearFaults(): Promise<void> {
    await this.#ask('DELETE', '/faults');
  }

  async vm(uuid: string): Promise<SimulatedVm> {
    return await this.get(`/vms/${uuid}`);
  }

  async makeVm(pool: string, sizes: readonly number[]): Promise<SimulatedVm> {
    const disks = sizes.map((sizeBytes) => ({ sizeBytes }));
    const vm = await this.post<SimulatedVm>('/vms', { pool, name: 'web', disks });
    for (const [index, disk] of vm.disks.entries()) {
      await this.write(disk.uuid, 0, Math.floor(disk.sizeBytes * 0.75), `content of disk ${index}`);
    }
    return vm;
  }

  /** The VM and its disks are gone, whatever they were doing. */
  async vanish(vmUuid: string): Promise<void> {
    await this.#ask('DELETE', `/vms/${vmUuid}`);
  }

  /** The guest writes bytes that don't compress. */
  async write(vdiUuid: string, offset: number, length: number, randomSeed: string): Promise<void> {
    await this.post(`/vdis/${vdiUuid}/write`, { offset, length, randomSeed });
  }

  async digests(vm: SimulatedVm): Promise<readonly string[]> {
    const ordered = vm.disks.toSorted((a, b) => Number(a.device) - Number(b.device));
    return await Promise.all(
      ordered.map(async ({ uuid }) => (await this.get<{ sha256: string }>(`/vdis/${uuid}/digest`)).sha256),
    );
  }

  /** What must not be there after a job: everything but the anchors of the next incremental. */
  async leftovers(pool: string): Promise<Omit<Leftovers, 'cbtMetadataVdis' | 'pool'>> {
    const all = await this.get<readonly Leftovers[]>('/leftovers');
    const found = all.find((each) => each.pool === pool);
    if (found === undefined) {
      throw new Error(`no leftovers of ${pool}`);
    }
    const { snapshotVms, snapshotVdis, controlDomainVbds, tasks, nbdConnections } = found;
    return { snapshotVms, snapshotVdis, controlDomainVbds, tasks, nbdConnections };
  }

  /** Where the log stands: what comes later has a higher number. */
  async lastSeq(): Promise<number> {
    const all = await this.get<readonly LogEntry[]>('/log');
    return all.at(-1)?.seq ?? 0;
  }

  async log(type: string, since = 0): Promise<readonly LogEntry[]> {
    return await this.get(`/log?type=${type}&since=${since}`);
  }

  async #ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.ready.control}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${response.status} ${text}`);
    }
    return JSON.parse(text) as T;
  }
}

export const NOTHING = { snapshotVms: [], snapshotVdis: [], controlDomainVbds: [], tasks: [], nbdConnections: 0 };
