import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Program, startProgram } from '../support/program.ts';

export interface ReadyPool {
  readonly uuid: string;
  readonly name: string;
  readonly url: string;
  readonly hosts: readonly string[];
  readonly username: string;
  readonly password: string;
  readonly certificate: string;
}

export interface Ready {
  readonly control: string;
  readonly pools: readonly ReadyPool[];
}

export interface MadeVm {
  readonly uuid: string;
  readonly ref: string;
  readonly disks: readonly { readonly uuid: string; readonly ref: string; readonly sizeBytes: number }[];
  readonly macs: readonly string[];
}

/** A simulator as a process of its own, and its control endpoint. */
export class SimulatedPools implements AsyncDisposable {
  readonly program: Program<Ready>;
  /** A folder for the test's own files, removed with the simulator. */
  readonly folder: string;

  private constructor(program: Program<Ready>, folder: string) {
    this.program = program;
    this.folder = folder;
  }

  static async start(...args: readonly string[]): Promise<SimulatedPools> {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-pools-'));
    return new SimulatedPools(await startProgram<Ready>({ script: 'simulator/main.ts', args }), folder);
  }

  get ready(): Ready {
    return this.program.ready;
  }

  pool(name: string): ReadyPool {
    const pool = this.ready.pools.find((each) => each.name === name);
    if (pool === undefined) {
      throw new Error(`no pool ${name}`);
    }
    return pool;
  }

  async control<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.ready.control}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    }
    return (await response.json()) as T;
  }

  async makeVm(order: object): Promise<MadeVm> {
    return await this.control('POST', '/vms', { pool: 'alpha', name: 'a guest', ...order });
  }

  async digest(vdiUuid: string): Promise<string> {
    return (await this.control<{ sha256: string }>('GET', `/vdis/${vdiUuid}/digest`)).sha256;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
