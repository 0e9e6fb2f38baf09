import 'reflect-metadata';
import { join } from 'node:path';
import { Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ActivitiesModule } from '../activities/activities.module.ts';
import { ReconcilerModule } from '../control/reconciler/reconciler.module.ts';
import { WorkerDatabaseModule } from '../control/reconciler/worker-database.module.ts';
import { UsageClosingModule } from '../control/usage/usage-closing.module.ts';
import { FileKeyRing } from '../engine/index.ts';
import { LocalMover } from '../movers/local-mover.ts';
import { ScopeModule } from '../platform/auth/scope.module.ts';
import { loadConfig, withServers, type ServiceConfig } from '../platform/config/config.ts';
import { DatabaseModule } from '../platform/database/database.module.ts';
import { MutationsModule } from '../platform/mutations/mutations.module.ts';
import { PagingModule } from '../platform/paging/paging.module.ts';
import { runRole } from '../platform/process/run-role.ts';
import { SecretsModule } from '../platform/secrets/secrets.module.ts';
import { openProcessLog, processLog } from '../platform/telemetry/process-log.ts';
import { TemporalClientModule, type TemporalOptions } from '../platform/temporal/temporal-client.module.ts';
import { WorkerHostModule } from '../platform/temporal/worker-host.module.ts';
import { WorkerHost } from '../platform/temporal/worker-host.ts';

export interface WorkerOptions {
  readonly databaseUrl: string;
  readonly temporal: TemporalOptions;
  /** Folder of the tenants' keys, the control plane's key and the ledger's. */
  readonly keysFolder: string;
  readonly graceMs: number;
  readonly reconcileEveryMs: number;
  readonly usage: { readonly windowMs: number; readonly graceMs: number };
}

export interface RunningWorker {
  readonly app: INestApplicationContext;
  readonly failed: Promise<string>;
  close(): Promise<void>;
}

@Module({})
class WorkerProcess {
  static forRoot(options: WorkerOptions, mover: LocalMover): DynamicModule {
    const { databaseUrl, temporal, keysFolder, graceMs, reconcileEveryMs, usage } = options;
    return {
      module: WorkerProcess,
      imports: [
        ScopeModule,
        DatabaseModule.forRoot({ url: databaseUrl, role: 'holdfast_worker' }),
        WorkerDatabaseModule.forRoot(databaseUrl),
        TemporalClientModule.forRoot(temporal),
        SecretsModule.forRoot({ keyFile: join(keysFolder, 'control.key') }),
        PagingModule,
        MutationsModule,
        WorkerHostModule.forRoot({ ...temporal, graceMs }),
        ReconcilerModule.forRoot(reconcileEveryMs),
        UsageClosingModule.forRoot({ databaseUrl, keyFile: join(keysFolder, 'usage.pem'), ...usage }),
        ActivitiesModule.forRoot({
          mover,
          keyRing: new FileKeyRing(join(keysFolder, 'tenants')),
          taskQueuePrefix: temporal.taskQueuePrefix,
        }),
      ],
    };
  }
}

/** Workflows, activities with a mover in this process, the reconciler and the closer of usage windows. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const mover = new LocalMover();
  const app = await NestFactory.createApplicationContext(WorkerProcess.forRoot(options, mover), {
    abortOnError: false,
    logger: processLog(),
  });
  return {
    app,
    failed: app.get(WorkerHost, { strict: false }).failed,
    close: async () => {
      await app.close();
      await mover.close();
    },
  };
}

export function workerOptions(config: ServiceConfig): WorkerOptions {
  const { database, temporal, keysFolder, jobs, usage } = config;
  return {
    databaseUrl: database.url,
    temporal,
    keysFolder,
    // The process has to be gone when the grace is over; the work gets most of it.
    graceMs: config.shutdownGraceMs * 0.6,
    reconcileEveryMs: jobs.reconcileEveryMs,
    usage,
  };
}

if (import.meta.main) {
  await runRole({
    name: 'worker',
    about: 'workflows, activities with a mover, the reconciler and the usage ledger',
    start: async () => {
      const config = withServers(loadConfig(process.env, 'worker'));
      openProcessLog(config);
      const worker = await startWorker(workerOptions(config));
      return {
        ready: {},
        failed: worker.failed,
        graceMs: config.shutdownGraceMs,
        stop: async () => await worker.close(),
      };
    },
  });
}
