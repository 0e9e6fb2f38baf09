import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { Client as TemporalClient, Connection } from '@temporalio/client';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { temporaryDataFolder } from '../../src/platform/embedded/data-folder.ts';
import { allGone, childrenOf, isAlive } from '../support/processes.ts';
import { runScript, startProgram, type Program } from '../support/program.ts';

interface Ready {
  readonly pids: { readonly postgres: number; readonly temporal: number };
  readonly databaseAdminUrl: string;
  readonly temporalAddress: string;
}

const SCRIPT = 'test/support/engines-role.ts';
let folder: string;

beforeEach(async () => {
  folder = await temporaryDataFolder();
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<Program<Ready>> {
  return await startProgram<Ready>({ script: SCRIPT, env: { HOLDFAST_DATA: folder } });
}

async function query(url: string, statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(statement);
    return rows.map((row) => Object.values(row)[0]);
  } finally {
    await client.end();
  }
}

async function withClient(address: string, work: (client: TemporalClient) => Promise<void>): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    await work(new TemporalClient({ connection, namespace: 'holdfast' }));
  } finally {
    await connection.close();
  }
}

it.each(['/proc/holdfast', '/dev/null/holdfast'])('says in a sentence that %s can’t be its folder', async (place) => {
  const refused = await runScript({ script: SCRIPT, env: { HOLDFAST_DATA: place } });
  expect(refused.code).toBe(1);
  expect(refused.output).toMatch(
    new RegExp(`The folder ${place} can’t be made: .*\\.\n {2}Name a folder .*\\[DATA_FOLDER_UNUSABLE\\]`),
  );
});

it('has its folder to itself, takes its servers with it when it is killed, and starts again on whatever was left', async () => {
  const first = await start();
  await query(first.ready.databaseAdminUrl, 'create table kept as select 42 as answer');
  await withClient(first.ready.temporalAddress, async (client) => {
    await client.workflow.start('waits', { workflowId: 'kept', taskQueue: 'nobody polls it' });
  });
  const refused = await runScript({ script: SCRIPT, env: { HOLDFAST_DATA: folder } });
  expect(refused.code).toBe(1);
  expect(refused.output).toContain(`Another Holdfast is running on ${folder}.`);
  expect(refused.output).toContain('DATA_FOLDER_IN_USE');

  expect(await first.stop('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
  expect(await allGone(Object.values(first.ready.pids))).toBe(true);

  const second = await start();
  expect(await query(second.ready.databaseAdminUrl, 'select answer from kept')).toEqual([42]);
  await withClient(second.ready.temporalAddress, async (client) => {
    const { status } = await client.workflow.getHandle('kept').describe();
    expect(status.name).toBe('RUNNING');
  });
  // Now both it and its watchdog at once: the servers live on, without an owner.
  const [watchdog] = await childrenOf(second.pid);
  process.kill(watchdog ?? 0, 'SIGSTOP');
  process.kill(second.pid, 'SIGKILL');
  process.kill(watchdog ?? 0, 'SIGKILL');
  await second.ended;
  expect(Object.values(second.ready.pids).map((pid) => isAlive(pid))).toEqual([true, true]);

  const third = await start();
  expect(await allGone(Object.values(second.ready.pids), 0)).toBe(true);
  process.kill(third.ready.pids.temporal, 'SIGKILL');
  expect(await third.ended).toEqual({ code: 1, signal: null });
  expect(third.output()).toContain('Temporal ended with signal SIGKILL; its log is in');
  expect(await allGone(Object.values(third.ready.pids), 0)).toBe(true);
});

it.runIf(userInfo().uid === 0)(
  'refuses a data folder that PostgreSQL’s user may not enter, and says which',
  async () => {
    const closed = await mkdtemp(join(tmpdir(), 'holdfast-closed-'));
    try {
      await chmod(closed, 0o700);
      await mkdir(join(closed, 'data'));
      const { code, output } = await runScript({ script: SCRIPT, env: { HOLDFAST_DATA: join(closed, 'data') } });
      expect(code).toBe(1);
      expect(output).toMatch(/PostgreSQL does not run as root but as user \w+, and that user may not enter \//);
      expect(output).toContain(`chmod o+x ${closed}`);
    } finally {
      await rm(closed, { recursive: true, force: true });
    }
  },
);

it('lists what is wrong with its configuration and does not start', async () => {
  const env = { HOLDFAST_DATA: folder, HOLDFAST_API_PORT: 'web', HOLDFAST_RELAY_EVERY: '1 minute' };
  const { code, output } = await runScript({ script: SCRIPT, env });
  expect(code).toBe(1);
  expect(output).toContain('HOLDFAST_API_PORT is not a port number');
  expect(output).toContain('HOLDFAST_RELAY_EVERY is not a duration');
});
