import { join } from 'node:path';
import { ReconcilerModule } from '../control/reconciler/reconciler.module.ts';
import { UsageClosingModule, type UsageClosingSettings } from '../control/usage/usage-closing.module.ts';
import { loadConfig, withServers, type ServiceConfig } from '../platform/config/config.ts';
import { runRole } from '../platform/process/run-role.ts';
import { openProcessLog } from '../platform/telemetry/process-log.ts';
import {
  activityProcessOptions,
  startActivityProcess,
  type ActivityProcessOptions,
  type RunningActivityProcess,
} from './activity-process.ts';

export interface WorkerOptions extends ActivityProcessOptions {
  readonly reconcileEveryMs: number;
  readonly usage: Pick<UsageClosingSettings, 'windowMs' | 'graceMs' | 'periodGraceMs'>;
}

export type RunningWorker = RunningActivityProcess;

/** Workflows, activities with a mover in this process, the reconciler and the closer of usage windows. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { databaseUrl, keysFolder, reconcileEveryMs, usage } = options;
  return await startActivityProcess(options, [
    ReconcilerModule.forRoot(reconcileEveryMs),
    UsageClosingModule.forRoot({ databaseUrl, keyFile: join(keysFolder, 'usage.pem'), ...usage }),
  ]);
}

export function workerOptions(config: ServiceConfig): WorkerOptions {
  return {
    ...activityProcessOptions(config),
    reconcileEveryMs: config.jobs.reconcileEveryMs,
    usage: config.usage,
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
