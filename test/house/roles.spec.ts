import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SpecSimulator } from '../../src/xen/spec-simulator.ts';
import { runScript, startProgram, type Program } from '../support/program.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { testTemporal } from '../support/test-temporal.ts';

const MIB = 1024 * 1024;

interface Ready {
  readonly url: string;
  readonly administratorToken: string;
}

let folder: string;
let database: TestDatabase;
let env: Record<string, string>;
let simulator: SpecSimulator;
const running: Program<unknown>[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-roles-'));
  database = await createTestDatabase();
  const { address, namespace, taskQueuePrefix } = testTemporal();
  env = {
    HOLDFAST_DATA: folder,
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    HOLDFAST_TASK_QUEUE_PREFIX: taskQueuePrefix,
    HOLDFAST_LOG_LEVEL: 'debug',
  };
  simulator = await SpecSimulator.start();
});
afterAll(async () => {
  await Promise.all(running.map(async (role) => await role.stop('SIGKILL')));
  await simulator?.stop();
  await database?.drop();
  await rm(folder, { recursive: true, force: true });
});

async function start<T>(role: string, more: Record<string, string> = {}): Promise<Program<T>> {
  const program = await startProgram<T>({ script: `dist/src/main/${role}.js`, env: { ...env, ...more } });
  running.push(program);
  return program;
}

/** What a tenant's script does: REST, a token, and ids from the answers. */
class Client {
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  async ask<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        'content-type': 'application/json',
        'idempotency-key': randomUUID(),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = await response.json();
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    }
    return answer as T;
  }

  async stateOf(jobId: string): Promise<string> {
    return (await this.ask<{ state: string }>('GET', `/v1/jobs/${jobId}`)).state;
  }

  async ended(jobId: string): Promise<void> {
    for (let state = ''; state !== 'SUCCEEDED'; state = await this.stateOf(jobId)) {
      if (/^(FAILED|INTERRUPTED|CANCELLED)$/.test(state)) {
        throw new Error(`the job ended ${state}`);
      }
      await delay(100);
    }
  }
}

/** The lines of a role's log; a line that is none fails. */
function logOf(role: Program<unknown>): Record<string, unknown>[] {
  const lines = role.output().split('\n');
  return lines
    .filter((line) => line !== '' && !/^(Holdfast is up at|Administrator token)/.test(line))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('the roles, started one by one', () => {
  it('carry a backup together: api, a worker for the control queue alone, a mover, the relay', async () => {
    const vm = await simulator.makeFilledVm('alpha', [8 * MIB]);
    const { url, username, password, name } = simulator.pool('alpha');

    const api = await start<Ready>('api');
    const client = new Client(api.ready.url, api.ready.administratorToken);
    const site = await client.ask<{ id: string }>('POST', '/v1/sites', { name: 'Here' });
    const elsewhere = await client.ask<{ id: string }>('POST', '/v1/sites', { name: 'Elsewhere' });
    const { pool, job } = await client.ask<{ pool: { id: string }; job: { id: string } }>('POST', '/v1/pools', {
      siteId: site.id,
      name,
      url,
      username,
      password,
    });
    expect(await client.stateOf(job.id)).toBe('QUEUED');

    const worker = await start('worker', { HOLDFAST_WORKER_QUEUES: 'control' });
    await expect.poll(async () => await client.stateOf(job.id)).toBe('RUNNING');
    const other = await start('mover', { HOLDFAST_SITES: elsewhere.id });
    expect(await client.stateOf(job.id)).toBe('RUNNING');
    const mover = await start('mover', { HOLDFAST_SITES: `${site.id},${elsewhere.id}` });
    await client.ended(job.id);

    const storage = join(folder, 'storage');
    await mkdir(storage);
    const target = await client.ask<{ id: string }>('POST', '/v1/storage-targets', {
      name: 'Disk',
      kind: 'DIRECTORY',
      path: storage,
    });
    const made = await client.ask<{ vault: { id: string }; job: { id: string } }>('POST', '/v1/vaults', {
      name: 'Vault',
      storageTargetId: target.id,
    });
    await client.ended(made.job.id);
    const { items } = await client.ask<{ items: { xenUuid: string; vmId: string }[] }>(
      'GET',
      `/v1/pools/${pool.id}/vms?first=100`,
    );
    const vmId = items.find(({ xenUuid }) => xenUuid === vm.uuid)?.vmId ?? '';
    const backup = await client.ask<{ id: string }>('POST', `/v1/vms/${vmId}/backups`, { vaultId: made.vault.id });
    await client.ended(backup.id);

    const relay = await start('relay');
    const types = async (): Promise<string[]> => {
      const events = await client.ask<{ items: { type: string }[] }>('GET', '/v1/events');
      return events.items.map(({ type }) => type);
    };
    await expect.poll(types).toContain('job.succeeded');

    const said = logOf(api).filter(({ message }) => message === 'answered');
    expect(said).toContainEqual(expect.objectContaining({ method: 'POST', path: '/v1/pools', role: 'api' }));
    for (const role of [worker, mover, other, relay, api]) {
      expect(logOf(role).filter(({ level }) => level === 'error')).toEqual([]);
      expect(role.output()).not.toContain(password);
      expect(await role.stop()).toEqual({ code: 0, signal: null });
    }
  });

  it.each([
    ['api', 'DATABASE_URL', 'postgres://holdfast:hunter2@127.0.0.1:9/holdfast', 'DATABASE_UNAVAILABLE'],
    ['mover', 'DATABASE_URL', 'postgres://holdfast:hunter2@127.0.0.1:9/holdfast', 'DATABASE_UNAVAILABLE'],
    ['worker', 'TEMPORAL_ADDRESS', '127.0.0.1:9', 'TEMPORAL_UNAVAILABLE'],
    ['mover', 'TEMPORAL_NAMESPACE', 'nowhere', 'TEMPORAL_UNAVAILABLE'],
  ])('refuse in a sentence: %s without its %s', async (role, variable, value, code) => {
    const ended = await runScript({ script: `dist/src/main/${role}.js`, env: { ...env, [variable]: value } });
    expect(ended.code).toBe(1);
    expect(ended.output).toMatch(new RegExp(`^holdfast ${role}: [^\\n]+\\n  [^\\n]+ \\[${code}\\]\\n$`));
    expect(ended.output).not.toContain('hunter2');
  });

  it('say of the mover what it needs', async () => {
    const { code, stdout } = await runScript({ script: 'dist/src/main/mover.js', args: ['--help'] });
    expect(code).toBe(0);
    expect(stdout).toContain('it needs the database and the keys');
  });
});
