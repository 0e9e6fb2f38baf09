import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startApi, type RunningApi } from '../../src/main/api.ts';
import { startWorker, type RunningWorker, type WorkerOptions } from '../../src/main/worker.ts';
import { FirstStart } from '../../src/platform/auth/first-start.ts';
import { parseGlobalId } from '../../src/kernel/global-id.ts';
import { TEMPORAL, type TemporalAccess } from '../../src/platform/temporal/temporal-client.module.ts';
import type { ReadyPool, SimulatedVm } from '../../src/xen/spec-simulated.ts';
import { SpecSimulator } from '../../src/xen/spec-simulator.ts';
import { workflowIdOf } from '../../workflows/contract/index.ts';
import { createTestDatabase } from '../support/test-database.ts';
import { testTemporal } from '../support/test-temporal.ts';

export interface SeenJob {
  readonly id: string;
  readonly state: string;
  readonly warnings: readonly string[];
  readonly error: { readonly code: string; readonly message: string; readonly hint: string } | null;
  readonly progress: { readonly phase: string; readonly bytesDone: string; readonly bytesTotal: string } | null;
  readonly result: {
    readonly restorePointId: string | null;
    readonly bytesRead: string | null;
    readonly bytesStored: string | null;
    readonly restoredVmUuid: string | null;
  } | null;
}

export interface UserErrors {
  readonly userErrors: readonly { readonly code: string; readonly message: string }[];
}

const JOB = `id state warnings error { code message hint } progress { phase bytesDone bytesTotal }
  result { restorePointId bytesRead bytesStored restoredVmUuid }`;
/** A worker of a busy machine is not thought dead when it is silent for some seconds. */
const PATIENCE = { attempts: 3, firstDelayMs: 100, heartbeatTimeoutMs: 10_000 };
const FINISHED = /^(SUCCEEDED|SUCCEEDED_WITH_WARNINGS|FAILED|CANCELLED|SKIPPED|INTERRUPTED|EXPIRED)$/;

export interface ProtectedVm {
  readonly vm: SimulatedVm;
  readonly vmId: string;
  readonly vaultId: string;
  /** The vault's. */
  readonly folder: string;
}

export interface StageOptions {
  /** A database of the caller's; otherwise a fresh one on the run's server. */
  readonly databaseUrl?: string;
  /** Leave the worker to the caller. */
  readonly withoutWorker?: boolean;
}

/** Two simulated pools, the API and a worker: what a tenant meets, driven over the wire. */
export class Stage {
  readonly #closers: (() => Promise<unknown>)[] = [];

  private constructor(
    private readonly api: RunningApi,
    private readonly token: string,
    readonly workerOptions: WorkerOptions,
    readonly simulator: SpecSimulator,
    readonly folder: string,
  ) {}

  static async start(options: StageOptions = {}): Promise<Stage> {
    const closers: (() => Promise<unknown>)[] = [];
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-stage-'));
    closers.push(async () => await rm(folder, { recursive: true, force: true }));
    const simulator = await SpecSimulator.start();
    closers.push(async () => await simulator.stop());
    let { databaseUrl } = options;
    if (databaseUrl === undefined) {
      const database = await createTestDatabase();
      closers.push(async () => await database.drop());
      databaseUrl = database.url;
    }
    const keysFolder = join(folder, 'keys');
    const temporal = testTemporal();
    const keyFile = join(keysFolder, 'control.key');
    const api = await startApi({ databaseUrl, temporal, keyFile, host: '127.0.0.1', port: 0, patience: PATIENCE });
    closers.push(async () => await api.close());
    const first = await api.app.get(FirstStart).createProvider('Provider');
    const workerOptions = {
      databaseUrl,
      temporal,
      keysFolder,
      graceMs: 500,
      reconcileEveryMs: 500,
      usage: { windowMs: 3_600_000, graceMs: 300_000 },
    };
    const stage = new Stage(api, first?.token ?? '', workerOptions, simulator, folder);
    stage.#closers.push(...closers);
    if (options.withoutWorker !== true) {
      await stage.startWorker();
    }
    return stage;
  }

  async startWorker(): Promise<RunningWorker> {
    const worker = await startWorker(this.workerOptions);
    let closing: Promise<void> | undefined;
    const close = async (): Promise<void> => await (closing ??= worker.close());
    this.#closers.push(close);
    return { ...worker, close };
  }

  /** Adds what has to be closed before everything else. */
  onStop(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  async stop(): Promise<void> {
    for (const close of this.#closers.toReversed()) {
      await close();
    }
  }

  async data<T>(query: string, variables: Record<string, unknown> = {}): Promise<T> {
    const response = await fetch(`${this.api.url}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const body = (await response.json()) as { data?: T; errors?: unknown };
    if (body.errors !== undefined || body.data === undefined) {
      throw new Error(JSON.stringify(body.errors, null, 2));
    }
    return body.data;
  }

  /** A mutation's payload. */
  async mutate<T>(name: string, input: Record<string, unknown>, select: string): Promise<T & UserErrors> {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const document = `mutation ($input: ${type}!) { ${name}(input: $input) { ${select} userErrors { code message } } }`;
    const data = await this.data<Record<string, T & UserErrors>>(document, {
      input: { idempotencyKey: randomUUID(), ...input },
    });
    const payload = data[name];
    if (payload === undefined) {
      throw new Error(`${name} gave nothing`);
    }
    return payload;
  }

  async job(id: string): Promise<SeenJob> {
    const { job } = await this.data<{ job: SeenJob }>(`query ($id: ID!) { job(id: $id) { ${JOB} } }`, { id });
    return job;
  }

  /** The job once it has ended. */
  async ended(job: { readonly id: string }): Promise<SeenJob> {
    return await this.jobWhen(job, ({ state }) => FINISHED.test(state));
  }

  /** The job once that holds of it; a job that has ended and doesn't will not any more. */
  async jobWhen({ id }: { readonly id: string }, holds: (job: SeenJob) => boolean): Promise<SeenJob> {
    for (;;) {
      const job = await this.job(id);
      if (holds(job)) {
        return job;
      }
      if (FINISHED.test(job.state)) {
        throw new Error(`the job ended before: ${JSON.stringify(job)}`);
      }
      await delay(50);
    }
  }

  /** Starts what gives a job, and waits for its end. */
  async runJob(name: string, input: Record<string, unknown>): Promise<SeenJob> {
    return await this.ended(await this.startJob(name, input));
  }

  async startJob(name: string, input: Record<string, unknown>): Promise<SeenJob> {
    const { job, userErrors } = await this.mutate<{ job: SeenJob | null }>(name, input, `job { ${JOB} }`);
    if (job === null) {
      throw new Error(`${name}: ${JSON.stringify(userErrors)}`);
    }
    return job;
  }

  /** Loses a backup's workflow, as an operator or a lost history would. */
  async terminateWorkflow(backup: { readonly id: string }): Promise<void> {
    const jobId = parseGlobalId(backup.id)?.id ?? '';
    const { client } = this.api.app.get<TemporalAccess>(TEMPORAL, { strict: false });
    await client.workflow.getHandle(workflowIdOf('BACKUP', jobId)).terminate('lost');
  }

  /** Registers a simulated pool; gives back its id and the job that connects to it. */
  async registerPool(
    pool: ReadyPool,
    changes: Record<string, unknown> = {},
  ): Promise<{ poolId: string; job: SeenJob }> {
    const { site } = await this.mutate<{ site: { id: string } }>(
      'createSite',
      { name: `Site ${randomUUID()}` },
      'site { id }',
    );
    const { url, username, password, name } = pool;
    const input = { siteId: site.id, name, url, username, password, ...changes };
    const made = await this.mutate<{ pool: { id: string }; job: SeenJob }>(
      'registerPool',
      input,
      `pool { id } job { ${JOB} }`,
    );
    return { poolId: made.pool.id, job: made.job };
  }

  /** A pool with its inventory. */
  async addPool(name: string): Promise<string> {
    const { poolId, job } = await this.registerPool(this.simulator.pool(name));
    const { state, error } = await this.ended(job);
    if (state !== 'SUCCEEDED') {
      throw new Error(`${name} was not connected: ${state} ${JSON.stringify(error)}`);
    }
    return poolId;
  }

  /** A vault in a folder of its own. */
  async addVault(): Promise<{ readonly vaultId: string; readonly folder: string }> {
    const folder = join(this.folder, `storage-${randomUUID()}`);
    await mkdir(folder);
    const { storageTarget } = await this.mutate<{ storageTarget: { id: string } }>(
      'createStorageTarget',
      { name: folder, kind: 'DIRECTORY', path: folder },
      'storageTarget { id }',
    );
    const { vault, job } = await this.mutate<{ vault: { id: string }; job: SeenJob }>(
      'createVault',
      { name: `Vault ${randomUUID()}`, storageTargetId: storageTarget.id },
      `vault { id } job { ${JOB} }`,
    );
    const { state, error } = await this.ended(job);
    if (state !== 'SUCCEEDED') {
      throw new Error(`the vault was not made: ${state} ${JSON.stringify(error)}`);
    }
    return { vaultId: vault.id, folder };
  }

  /** A running VM of a pool with an inventory, as the tenant sees it, and a vault for it. */
  async protectVm(poolId: string, sizes: readonly number[], pool = 'alpha'): Promise<ProtectedVm> {
    const vm = await this.simulator.makeFilledVm(pool, sizes);
    const vault = await this.addVault();
    return { vm, vmId: await this.vmId(vm.uuid, poolId), ...vault };
  }

  /** The id of the tenant's VM that stands for this one in the pool. */
  async vmId(xenUuid: string, poolId: string): Promise<string> {
    await this.runJob('refreshPool', { poolId });
    const { pool } = await this.data<{
      pool: { poolVms: { edges: readonly { node: { xenUuid: string; vmId: string | null } }[] } };
    }>('query ($id: ID!) { pool(id: $id) { poolVms(first: 100) { edges { node { xenUuid vmId } } } } }', {
      id: poolId,
    });
    const found = pool.poolVms.edges.find(({ node }) => node.xenUuid === xenUuid)?.node.vmId;
    if (found === undefined || found === null) {
      throw new Error(`the inventory did not find ${xenUuid}`);
    }
    return found;
  }

  /** The first of a pool's storage repositories that are shared, and of its networks. */
  async places(poolId: string): Promise<{ readonly srId: string; readonly networkId: string }> {
    type Nodes<T> = { readonly edges: readonly { readonly node: T }[] };
    const { pool } = await this.data<{
      pool: { storageRepositories: Nodes<{ id: string; shared: boolean }>; networks: Nodes<{ id: string }> };
    }>(
      `query ($id: ID!) { pool(id: $id) { storageRepositories(first: 50) { edges { node { id shared } } }
         networks(first: 50) { edges { node { id } } } } }`,
      { id: poolId },
    );
    const sr = pool.storageRepositories.edges.find(({ node }) => node.shared)?.node.id ?? '';
    return { srId: sr, networkId: pool.networks.edges[0]?.node.id ?? '' };
  }
}
