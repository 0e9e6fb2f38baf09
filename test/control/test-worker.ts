import 'reflect-metadata';
import { Module, type DynamicModule, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AccessService } from '../../src/control/access/access.service.ts';
import { JobRunService } from '../../src/control/jobs/job-run.service.ts';
import { PoolInventoryModule } from '../../src/control/pools/pool-inventory.module.ts';
import { VaultWorkModule } from '../../src/control/vaults/vault-work.module.ts';
import { parseGlobalId } from '../../src/kernel/global-id.ts';
import { type TenantId, toId } from '../../src/kernel/ids.ts';
import { systemActor } from '../../src/platform/auth/actor.ts';
import { ScopeModule } from '../../src/platform/auth/scope.module.ts';
import { TenantScope } from '../../src/platform/auth/tenant-scope.ts';
import { DatabaseModule } from '../../src/platform/database/database.module.ts';
import { MutationsModule } from '../../src/platform/mutations/mutations.module.ts';
import { processLog } from '../../src/platform/telemetry/process-log.ts';
import { SecretsModule } from '../../src/platform/secrets/secrets.module.ts';
import type { TestApi } from '../support/test-api.ts';

@Module({})
class WorkerProcess {
  static forRoot(databaseUrl: string, keyFile: string): DynamicModule {
    return {
      module: WorkerProcess,
      imports: [
        ScopeModule,
        DatabaseModule.forRoot({ url: databaseUrl, role: 'holdfast_worker' }),
        SecretsModule.forRoot({ keyFile }),
        MutationsModule,
        PoolInventoryModule,
        VaultWorkModule,
      ],
      providers: [AccessService, JobRunService],
    };
  }
}

/** The services that activities call, acting as the database's worker role. */
export class TestWorker {
  private constructor(private readonly context: INestApplicationContext) {}

  static async start(api: TestApi): Promise<TestWorker> {
    const module = WorkerProcess.forRoot(api.database.url, api.keyFile);
    return new TestWorker(
      await NestFactory.createApplicationContext(module, { logger: processLog(), abortOnError: false }),
    );
  }

  async stop(): Promise<void> {
    await this.context.close();
  }

  /** Calls a service as an activity of the tenant would. */
  async as<Service, T>(service: Type<Service>, tenantId: string, work: (service: Service) => Promise<T>): Promise<T> {
    const tenant = toId<TenantId>(parseGlobalId(tenantId)?.tenantId ?? tenantId);
    const found = this.context.get(service, { strict: false });
    const scope = this.context.get(TenantScope, { strict: false });
    return await scope.run(systemActor('test', tenant), null, async () => await work(found));
  }
}
