import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Client as TemporalClient, Connection, WorkflowNotFoundError } from '@temporalio/client';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobRunModule } from '../../src/control/jobs/job-run.module.ts';
import { isFinished, JOB_STATES, type JobState } from '../../src/control/jobs/job-state.ts';
import type { WorkflowFound } from '../../src/control/jobs/job-workflows.ts';
import type { Remedy } from '../../src/control/reconciler/decide.ts';
import { ReconcilerService } from '../../src/control/reconciler/reconciler.service.ts';
import { WorkerDatabaseModule } from '../../src/control/reconciler/worker-database.module.ts';
import { WorkerListsModule } from '../../src/control/reconciler/worker-lists.module.ts';
import { ScopeModule } from '../../src/platform/auth/scope.module.ts';
import { DatabaseModule } from '../../src/platform/database/database.module.ts';
import { MutationsModule } from '../../src/platform/mutations/mutations.module.ts';
import { processLog } from '../../src/platform/telemetry/process-log.ts';
import { TemporalClientModule } from '../../src/platform/temporal/temporal-client.module.ts';
import { controlQueue, recoveryIdOf, workflowIdOf } from '../../workflows/contract/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { testTemporal } from '../support/test-temporal.ts';

/** No worker polls this test's queues: a workflow that was started stays open, one that was terminated is closed. */
const temporal = testTemporal();
let database: TestDatabase;
let sql: Client;
let client: TemporalClient;
let app: INestApplicationContext;
let tenantId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  sql = new Client({ connectionString: database.adminUrl });
  await sql.connect();
  const made = await sql.query<{ id: string }>(`select app.create_provider('Provider') as id`);
  tenantId = made.rows[0]?.id ?? '';
  client = new TemporalClient({
    connection: await Connection.connect({ address: temporal.address }),
    namespace: temporal.namespace,
  });
  @Module({
    imports: [
      ScopeModule,
      DatabaseModule.forRoot({ url: database.url, role: 'holdfast_worker' }),
      WorkerDatabaseModule.forRoot(database.url),
      TemporalClientModule.forRoot(temporal),
      MutationsModule,
      JobRunModule,
      WorkerListsModule,
    ],
    providers: [ReconcilerService],
  })
  class ReconcilerAlone {}
  app = await NestFactory.createApplicationContext(ReconcilerAlone, { logger: processLog(), abortOnError: false });
});
afterAll(async () => {
  await app.close();
  await client.connection.close();
  await sql.end();
  await database.drop();
});

interface Pair {
  readonly state: JobState;
  readonly found: WorkflowFound;
  /** A run had taken the row. */
  readonly begun: boolean;
}

interface Case extends Pair {
  readonly remedy: Remedy;
  /** The row right afterwards. */
  readonly after: JobState;
}

const FOUND = ['NONE', 'OPEN', 'CLOSED'] as const satisfies readonly WorkflowFound[];

function expected({ state, found, begun }: Pair): Pick<Case, 'remedy' | 'after'> {
  if (isFinished(state)) {
    return { remedy: found === 'OPEN' ? 'CANCEL' : 'LEAVE', after: state };
  }
  if (found === 'OPEN') {
    return { remedy: state === 'CANCELLING' ? 'CANCEL' : 'LEAVE', after: state };
  }
  if (begun) {
    return { remedy: 'RECOVER', after: state };
  }
  if (state === 'QUEUED' && found === 'NONE') {
    return { remedy: 'START', after: state };
  }
  return { remedy: 'END', after: state === 'CANCELLING' ? 'CANCELLED' : 'INTERRUPTED' };
}

const CASES: readonly Case[] = JOB_STATES.flatMap((state) =>
  FOUND.flatMap((found) =>
    (state === 'CANCELLING' ? [true, false] : [state !== 'QUEUED']).map((begun) => {
      const pair = { state, found, begun };
      return { ...pair, ...expected(pair) };
    }),
  ),
);

async function insertJob({ state, begun }: Pair): Promise<string> {
  const jobId = randomUUID();
  const input = { tenantId, jobId, patience: { attempts: 1, firstDelayMs: 10 }, vaultId: randomUUID() };
  await sql.query(
    `insert into app.job (tenant_id, id, kind, state, input, run_id, actor_tenant_id, actor, updated_at, finished_at)
     values ($1, $2, 'VAULT_CREATION', $3, $4, $5, $1, 'system:test', now() - interval '1 hour', $6)`,
    [tenantId, jobId, state, input, begun ? randomUUID() : null, isFinished(state) ? new Date() : null],
  );
  return jobId;
}

async function bringWorkflow(jobId: string, found: WorkflowFound): Promise<void> {
  if (found === 'NONE') {
    return;
  }
  const handle = await client.workflow.start('createVault', {
    workflowId: workflowIdOf('VAULT_CREATION', jobId),
    taskQueue: controlQueue(temporal.taskQueuePrefix),
    args: [],
  });
  if (found === 'CLOSED') {
    await handle.terminate('the test lost it');
  }
}

/** Undefined where there is no such workflow. */
async function statusOf(workflowId: string): Promise<string | undefined> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) {
      return undefined;
    }
    throw error;
  }
}

async function wasAskedToEnd(workflowId: string): Promise<boolean> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const attributes = events?.map((event) => event.workflowExecutionCancelRequestedEventAttributes) ?? [];
  return attributes.some((each) => each !== undefined && each !== null);
}

async function expectRemedied(jobId: string, { remedy, after, found }: Case): Promise<void> {
  const workflowId = workflowIdOf('VAULT_CREATION', jobId);
  const rows = await sql.query<{ state: string }>('select state from app.job where id = $1', [jobId]);
  expect(rows.rows[0]?.state).toBe(after);
  expect(await statusOf(recoveryIdOf(jobId))).toBe(remedy === 'RECOVER' ? 'RUNNING' : undefined);
  const before = { NONE: undefined, OPEN: 'RUNNING', CLOSED: 'TERMINATED' }[found];
  expect(await statusOf(workflowId)).toBe(remedy === 'START' ? 'RUNNING' : before);
  expect(found === 'OPEN' && (await wasAskedToEnd(workflowId))).toBe(remedy === 'CANCEL');
}

describe('every pair of row and workflow', () => {
  it.each(CASES)('$state (begun: $begun) with a workflow that is $found: $remedy', async (pair) => {
    await sql.query('delete from app.job');
    const jobId = await insertJob(pair);
    await bringWorkflow(jobId, pair.found);
    const options = { idleMs: 60_000, endedWithinMs: 60_000 };
    expect(await app.get(ReconcilerService).reconcile(options)).toEqual({ [pair.remedy]: 1 });
    await expectRemedied(jobId, pair);
  });

  it('leaves a row alone that somebody has just touched', async () => {
    await sql.query('delete from app.job');
    const jobId = await insertJob({ state: 'QUEUED', found: 'NONE', begun: false });
    await sql.query('update app.job set updated_at = now() where id = $1', [jobId]);
    expect(await app.get(ReconcilerService).reconcile({ idleMs: 60_000, endedWithinMs: 60_000 })).toEqual({});
  });
});
