import { randomUUID } from 'node:crypto';
import { Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Client } from 'pg';
import { UsageCloserService } from '../../../src/control/usage/usage-closer.service.ts';
import { UsageEventWriter } from '../../../src/control/usage/usage-event-writer.service.ts';
import { publishKey } from '../../../src/control/usage/usage-closing.module.ts';
import { closePeriods } from '../../../src/control/usage/period-closing.ts';
import { UsagePeriodCloserService } from '../../../src/control/usage/usage-period-closer.service.ts';
import { closeUsage, type Closed } from '../../../src/control/usage/usage-closing.ts';
import type { Counter } from '../../../src/control/usage/meters.ts';
import { newSigningKey, UsageSigner } from '../../../src/control/usage/usage-signature.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { toId, type TenantId } from '../../../src/kernel/ids.ts';
import { systemActor } from '../../../src/platform/auth/actor.ts';
import { ScopeModule } from '../../../src/platform/auth/scope.module.ts';
import { TenantScope } from '../../../src/platform/auth/tenant-scope.ts';
import { DatabaseModule } from '../../../src/platform/database/database.module.ts';
import { TenantDb } from '../../../src/platform/database/tenant-db.ts';
import { openRoleDatabase } from '../../../src/platform/feed/role-database.ts';
import type { RoleDatabase } from '../../../src/platform/feed/sql.ts';
import { MutationsModule } from '../../../src/platform/mutations/mutations.module.ts';
import { processLog } from '../../../src/platform/telemetry/process-log.ts';
import { TestApi } from '../../support/test-api.ts';

export const HOUR = 3_600_000;

export interface UsedByJob {
  readonly meter: Counter;
  readonly quantity: bigint;
  readonly at: string;
  readonly jobId?: string;
}

@Module({})
class UsageWorker {
  static forRoot(databaseUrl: string, signer: UsageSigner): DynamicModule {
    return {
      module: UsageWorker,
      imports: [ScopeModule, DatabaseModule.forRoot({ url: databaseUrl, role: 'holdfast_worker' }), MutationsModule],
      providers: [
        UsageEventWriter,
        UsageCloserService,
        UsagePeriodCloserService,
        { provide: UsageSigner, useValue: signer },
      ],
    };
  }
}

/** An api process, and beside it what a worker does about usage, at a time that the test decides. */
export class UsageBench {
  readonly api: TestApi;
  readonly admin: Client;
  readonly tenantId: TenantId;
  readonly #worker: INestApplicationContext;
  readonly #database: RoleDatabase;

  private constructor(api: TestApi, admin: Client, worker: INestApplicationContext, database: RoleDatabase) {
    this.api = api;
    this.admin = admin;
    this.tenantId = toId(api.administrator.tenantId);
    this.#worker = worker;
    this.#database = database;
  }

  static async start(): Promise<UsageBench> {
    const api = await TestApi.start();
    const signer = new UsageSigner(newSigningKey());
    const admin = new Client({ connectionString: api.database.adminUrl });
    await admin.connect();
    const worker = await NestFactory.createApplicationContext(UsageWorker.forRoot(api.database.url, signer), {
      abortOnError: false,
      logger: processLog(),
    });
    const database = openRoleDatabase({ url: api.database.url, role: 'holdfast_worker', poolSize: 1 });
    await publishKey(database, signer);
    return new UsageBench(api, admin, worker, database);
  }

  async stop(): Promise<void> {
    await this.#database.end();
    await this.#worker.close();
    await this.admin.end();
    await this.api.stop();
  }

  /** One round of the window closer, as if it were that time. */
  async closeAt(time: string, graceMs = 300_000): Promise<Closed> {
    const failures: unknown[] = [];
    const closed = await closeUsage(this.#database, this.#worker.get(UsageCloserService), {
      clock: { ...systemClock, now: () => Date.parse(time) },
      windowMs: HOUR,
      graceMs,
      onError: (error) => failures.push(error),
    });
    if (failures.length > 0) {
      throw failures[0];
    }
    return closed;
  }

  /** One round over the periods, as if it were that time; gives back how many became final. */
  async finalizeAt(time: string): Promise<number> {
    const failures: unknown[] = [];
    const periods = await closePeriods(this.#database, this.#worker.get(UsagePeriodCloserService), {
      clock: { ...systemClock, now: () => Date.parse(time) },
      periodGraceMs: 72 * HOUR,
      onError: (error) => failures.push(error),
    });
    if (failures.length > 0) {
      throw failures[0];
    }
    return periods;
  }

  /** Gives the tenant an age: windows are closed from there on. */
  async bornAt(time: string): Promise<void> {
    await this.rows('update app.tenant set created_at = $1', [time]);
  }

  async use({ meter, quantity, at, jobId = randomUUID() }: UsedByJob): Promise<string> {
    await this.rows(
      `insert into app.job (tenant_id, id, kind, input, actor_tenant_id, actor)
       values ($1, $2, 'VAULT_CREATION', '{}', $1, 'system:test') on conflict do nothing`,
      [this.tenantId, jobId],
    );
    const writer = this.#worker.get(UsageEventWriter);
    const db = this.#worker.get(TenantDb, { strict: false });
    await this.#worker.get(TenantScope, { strict: false }).run(systemActor('test', this.tenantId), null, async () => {
      await db.run(async (em) => {
        await writer.write(em, { tenantId: this.tenantId, jobId, meter, quantity, occurredAt: new Date(at) });
      });
    });
    return jobId;
  }

  async rows<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.admin.query(text, [...values])).rows as Row[];
  }

  async get<T>(path: string): Promise<T> {
    const { status, body } = await this.api.rest(this.api.administrator.token, 'GET', path);
    if (status !== 200) {
      throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
    }
    return body as T;
  }
}
