import 'reflect-metadata';
import { join } from 'node:path';
import { Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ActivitiesModule } from '../activities/activities.module.ts';
import type { PolledQueues } from '../activities/mover.ts';
import { WorkerDatabaseModule } from '../control/reconciler/worker-database.module.ts';
import { FileKeyRing } from '../engine/index.ts';
import { LocalMover } from '../movers/local-mover.ts';
import { ScopeModule } from '../platform/auth/scope.module.ts';
import type { ServiceConfig } from '../platform/config/config.ts';
import { DatabaseModule } from '../platform/database/database.module.ts';
import { MutationsModule } from '../platform/mutations/mutations.module.ts';
import { PagingModule } from '../platform/paging/paging.module.ts';
import { SecretsModule } from '../platform/secrets/secrets.module.ts';
import { processLog } from '../platform/telemetry/process-log.ts';
import { TemporalClientModule, type TemporalOptions } from '../platform/temporal/temporal-client.module.ts';
import { WorkerHostModule } from '../platform/temporal/worker-host.module.ts';
import { WorkerHost } from '../platform/temporal/worker-host.ts';

export interface ActivityProcessOptions {
  readonly databaseUrl: string;
  readonly temporal: TemporalOptions;
  /** Folder of the tenants' keys, the control plane's key and the ledger's. */
  readonly keysFolder: string;
  readonly graceMs: number;
  /** Everything unless given. */
  readonly queues?: PolledQueues;
}

export interface RunningActivityProcess {
  readonly app: INestApplicationContext;
  readonly failed: Promise<string>;
  close(): Promise<void>;
}

@Module({})
class ActivityProcess {
  static forRoot(options: ActivityProcessOptions, mover: LocalMover, more: readonly DynamicModule[]): DynamicModule {
    const { databaseUrl, temporal, keysFolder, graceMs, queues } = options;
    return {
      module: ActivityProcess,
      imports: [
        ScopeModule,
        DatabaseModule.forRoot({ url: databaseUrl, role: 'holdfast_worker' }),
        WorkerDatabaseModule.forRoot(databaseUrl),
        TemporalClientModule.forRoot(temporal),
        SecretsModule.forRoot({ keyFile: join(keysFolder, 'control.key') }),
        PagingModule,
        MutationsModule,
        WorkerHostModule.forRoot({ ...temporal, graceMs }),
        ...more,
        ActivitiesModule.forRoot({
          mover,
          keyRing: new FileKeyRing(join(keysFolder, 'tenants')),
          taskQueuePrefix: temporal.taskQueuePrefix,
          ...(queues === undefined ? {} : { queues }),
        }),
      ],
    };
  }
}

/** Polls task queues with a mover in this process; `more` is what else the process does. */
export async function startActivityProcess(
  options: ActivityProcessOptions,
  more: readonly DynamicModule[] = [],
): Promise<RunningActivityProcess> {
  const mover = new LocalMover();
  const app = await NestFactory.createApplicationContext(ActivityProcess.forRoot(options, mover, more), {
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

export function activityProcessOptions(config: ServiceConfig): ActivityProcessOptions {
  const { database, temporal, keysFolder, polled } = config;
  return {
    databaseUrl: database.url,
    temporal,
    keysFolder,
    // The process has to be gone when the grace is over; the work gets most of it.
    graceMs: config.shutdownGraceMs * 0.6,
    queues: polled,
  };
}
