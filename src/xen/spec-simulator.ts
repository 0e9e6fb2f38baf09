import { spawn } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { CertificatePin } from './model.ts';

/** The pool simulator as a process of its own, reached over its control endpoint: for specs only. */

const MAIN = fileURLToPath(new URL('../../simulator/main.ts', import.meta.url));

export interface SimulatedDisk {
  readonly uuid: string;
  readonly device: string;
  readonly sizeBytes: number;
}
export interface SimulatedVm {
  readonly uuid: string;
  readonly powerState: string;
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
export interface SimulatedPool {
  readonly name: string;
  readonly uuid: string;
  readonly srs: readonly { readonly uuid: string; readonly name: string; readonly shared: boolean }[];
  readonly networks: readonly { readonly uuid: string; readonly name: string }[];
  readonly hosts: readonly {
    readonly uuid: string;
    readonly url: string;
    readonly address: string;
    readonly certificate: string;
  }[];
}

export interface SimulatedAccess {
  readonly address: string;
  readonly username: string;
  readonly password: string;
  readonly certificates: readonly CertificatePin[];
}

export class SpecSimulator {
  readonly #control: string;
  readonly #stop: () => Promise<void>;

  private constructor(control: string, stop: () => Promise<void>) {
    this.#control = control;
    this.#stop = stop;
  }

  static async start(...options: readonly string[]): Promise<SpecSimulator> {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-mover-spec-'));
    const ready = join(folder, 'ready.json');
    const args = [MAIN, '--ready-file', ready, '--exit-with-stdin', '--detach-delay', '20', ...options];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'inherit'] });
    const exited = once(child, 'exit');
    let file: { readonly control: string } | null = null;
    for (let i = 0; i < 400 && file === null; i += 1) {
      await delay(25);
      file = await readJson(ready);
    }
    if (file === null) {
      throw new Error('the simulator did not come up');
    }
    return new SpecSimulator(file.control, async () => {
      child.stdin.end();
      await exited;
      await rm(folder, { recursive: true });
    });
  }

  async stop(): Promise<void> {
    await this.#stop();
  }

  async get<T>(path: string): Promise<T> {
    return this.#send<T>('GET', path);
  }

  async post<T>(path: string, body: object = {}): Promise<T> {
    return this.#send<T>('POST', path, body);
  }

  async delete(path: string): Promise<void> {
    await this.#send('DELETE', path);
  }

  async pool(name: string): Promise<SimulatedPool> {
    const found = (await this.get<SimulatedPool[]>('/pools')).find((pool) => pool.name === name);
    if (found === undefined) {
      throw new Error(`no pool ${name}`);
    }
    return found;
  }

  /** As Holdfast would keep it: every host's certificate is pinned. */
  async access(name: string): Promise<SimulatedAccess> {
    const { hosts } = await this.pool(name);
    return {
      address: hosts[0]?.url ?? '',
      username: 'root',
      password: 'simulator',
      certificates: hosts.map((host) => ({
        hostUuid: host.uuid,
        address: host.address,
        sha256: createHash('sha256').update(new X509Certificate(host.certificate).raw).digest('hex'),
      })),
    };
  }

  async digest(vdiUuid: string): Promise<string> {
    return (await this.get<{ readonly sha256: string }>(`/vdis/${vdiUuid}/digest`)).sha256;
  }

  async leftovers(name: string): Promise<Leftovers> {
    const found = (await this.get<Leftovers[]>('/leftovers')).find((each) => each.pool === name);
    if (found === undefined) {
      throw new Error(`no pool ${name}`);
    }
    return found;
  }

  async #send<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.#control}${path}`, {
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

async function readJson<T>(path: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch {
    // Not written yet.
    return null;
  }
}
