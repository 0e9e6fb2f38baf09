import { loadConfig } from '../platform/config/config.ts';
import { serversFor } from '../platform/embedded/servers-for.ts';
import { setUpLogToStderr, timedStep } from '../platform/embedded/set-up-log.ts';
import { runRole, type RunningRole } from '../platform/process/run-role.ts';
import { openProcessLog } from '../platform/telemetry/process-log.ts';
import { announce, apiOptions, startApi } from './api.ts';
import { migrateDatabase } from './migrate.ts';
import { relayOptions, startRelay } from './relay.ts';
import { startWorker, workerOptions } from './worker.ts';

async function start(): Promise<RunningRole> {
  const servers = await serversFor(loadConfig(process.env, 'standalone'), setUpLogToStderr);
  const { config } = servers;
  openProcessLog(config);
  // What was started is stopped in the opposite order, also when a later start fails.
  const started = new AsyncDisposableStack();
  started.defer(async () => await servers.stop());
  try {
    await timedStep(setUpLogToStderr, 'migrating the database', async () => await migrateDatabase(config));
    const relay = await startRelay(relayOptions(config, config.database.url));
    started.defer(async () => await relay.close());
    const worker = await startWorker(workerOptions(config));
    started.defer(async () => await worker.close());
    const api = await startApi({ ...apiOptions(config), storageIsHere: true });
    started.defer(async () => await api.close());
    return {
      ready: await announce(api, config),
      failed: Promise.race([servers.failed, worker.failed]),
      graceMs: config.shutdownGraceMs,
      stop: async () => await started.disposeAsync(),
    };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

if (import.meta.main) {
  await runRole({
    name: 'standalone',
    about: 'every role in one process, with PostgreSQL and Temporal of its own where none are given',
    start,
  });
}
