import { spawn } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { CertificatePin } from './model.ts';
import type { Leftovers, LogEntry, Ready, ReadyPool, SimulatedPool, SimulatedVm } from './spec-simulated.ts';

const MAIN = fileURLToPath(new URL('../../simulator/main.ts', import.meta.url));

export interface SimulatedAccess {
  readonly address: string;
  readonly username: string;
  readonly password: string;
  readonly certificates: readonly CertificatePin[];
}

/** Requests that wait in the simulator until they are let go. */
export interface Held {
  /** Resolves when one waits. */
  reached(): Promise<void>;
  letGo(): Promise<void>;
}

/** The pool simulator as a process of its own, reached over its control endpoint: for every spec, suite and bench. */
export class SpecSimulator implements AsyncDisposable {
  readonly ready: Ready;
  /** A folder for the test's own files, removed with the simulator. */
  readonly folder: string;
  readonly #end: () => Promise<number | null>;

  private constructor(ready: Ready, folder: string, end: () => Promise<number | null>) {
    this.ready = ready;
    this.folder = folder;
    this.#end = end;
  }

  /** `options` are those of `npm run simulator -- --help`; what they repeat counts. */
  static async start(...options: readonly string[]): Promise<SpecSimulator> {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-simulated-'));
    const readyFile = join(folder, 'ready.json');
    const args = [MAIN, '--ready-file', readyFile, '--exit-with-stdin', '--detach-delay', '20', ...options];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const exited = once(child, 'exit') as Promise<[number | null]>;
    const early = exited.then(([code]) => {
      throw new Error(`the simulator ended with exit code ${code} before it was up`);
    });
    // It says where it listens once the ready file is there.
    await Promise.race([once(child.stdout, 'data'), early]);
    child.stdout.resume();
    const ready = JSON.parse(await readFile(readyFile, 'utf8')) as Ready;
    return new SpecSimulator(ready, folder, async () => {
      child.stdin.end();
      const [code] = await exited;
      await rm(folder, { recursive: true });
      return code;
    });
  }

  /** Ends it; its exit code. */
  async stop(): Promise<number | null> {
    return await this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async get<T>(path: string): Promise<T> {
    return await this.#ask<T>('GET', path);
  }

  async post<T>(path: string, body: object = {}): Promise<T> {
    return await this.#ask<T>('POST', path, body);
  }

  async delete(path: string): Promise<void> {
    await this.#ask('DELETE', path);
  }

  /** The raw bytes of a disk. */
  async content(vdiUuid: string, offset: number, length: number): Promise<Buffer> {
    const response = await fetch(`${this.ready.control}/vdis/${vdiUuid}/content?offset=${offset}&length=${length}`);
    return Buffer.from(await response.arrayBuffer());
  }

  pool(name: string): ReadyPool {
    return named(this.ready.pools, name);
  }

  /** The pool as it is now. */
  async describePool(name: string): Promise<SimulatedPool> {
    return named(await this.get<SimulatedPool[]>('/pools'), name);
  }

  /** As Holdfast would keep it: every host's certificate is pinned. */
  async access(name: string): Promise<SimulatedAccess> {
    const { url, username, password } = this.pool(name);
    const { hosts } = await this.describePool(name);
    return {
      address: url,
      username,
      password,
      certificates: hosts.map((host) => ({
        hostUuid: host.uuid,
        address: host.address,
        sha256: createHash('sha256').update(new X509Certificate(host.certificate).raw).digest('hex'),
      })),
    };
  }

  async vm(uuid: string): Promise<SimulatedVm> {
    return await this.get(`/vms/${uuid}`);
  }

  async makeVm(order: object): Promise<SimulatedVm> {
    return await this.post('/vms', { pool: 'alpha', name: 'web', ...order });
  }

  /** A VM whose disks are full to three quarters. */
  async makeFilledVm(pool: string, sizes: readonly number[]): Promise<SimulatedVm> {
    const vm = await this.makeVm({ pool, disks: sizes.map((sizeBytes) => ({ sizeBytes })) });
    for (const [index, disk] of vm.disks.entries()) {
      await this.write(disk.uuid, 0, Math.floor(disk.sizeBytes * 0.75), `content of disk ${index}`);
    }
    return vm;
  }

  /** The guest writes bytes that don't compress. */
  async write(vdiUuid: string, offset: number, length: number, randomSeed: string): Promise<void> {
    await this.post(`/vdis/${vdiUuid}/write`, { offset, length, randomSeed });
  }

  async digest(vdiUuid: string): Promise<string> {
    return (await this.get<{ readonly sha256: string }>(`/vdis/${vdiUuid}/digest`)).sha256;
  }

  /** Of a VM's disks, in the order of their devices. */
  async digests({ disks }: SimulatedVm): Promise<readonly string[]> {
    const ordered = disks.toSorted((a, b) => Number(a.device) - Number(b.device));
    return await Promise.all(ordered.map(async ({ uuid }) => await this.digest(uuid)));
  }

  /** The VM and its disks are gone, whatever they were doing. */
  async vanish(vmUuid: string): Promise<void> {
    await this.delete(`/vms/${vmUuid}`);
  }

  async leftovers(pool: string): Promise<Leftovers> {
    const all = await this.get<Leftovers[]>('/leftovers');
    const found = all.find((each) => each.pool === pool);
    if (found === undefined) {
      throw new Error(`the simulator has no pool ${pool}`);
    }
    return found;
  }

  /** Where the log stands: what comes later has a higher number. */
  async lastSeq(): Promise<number> {
    return (await this.get<readonly LogEntry[]>('/log')).at(-1)?.seq ?? 0;
  }

  async log(type: string, since = 0): Promise<readonly LogEntry[]> {
    return await this.get(`/log?type=${type}&since=${since}`);
  }

  /** Holds every occasion of a fault's `match`, from the `nth` on. */
  async hold(match: object, nth = 1): Promise<Held> {
    const { id } = await this.post<{ readonly id: string }>('/faults', {
      match,
      nth,
      times: 0,
      action: { hold: true },
    });
    const isReached = async (): Promise<boolean> => {
      const faults = await this.get<readonly { readonly id: string; readonly hits: number }[]>('/faults');
      return faults.some((fault) => fault.id === id && fault.hits > 0);
    };
    return {
      reached: async () => {
        while (!(await isReached())) {
          await delay(20);
        }
      },
      letGo: async () => await this.delete(`/faults/${id}`),
    };
  }

  async clearFaults(): Promise<void> {
    await this.delete('/faults');
  }

  async #ask<T>(method: string, path: string, body?: object): Promise<T> {
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

function named<T extends { readonly name: string }>(all: readonly T[], name: string): T {
  const found = all.find((each) => each.name === name);
  if (found === undefined) {
    throw new Error(`the simulator has no pool ${name}`);
  }
  return found;
}
