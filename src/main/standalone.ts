import { FirstStart } from '../platform/auth/first-start.ts';
import { loadConfig } from '../platform/config/config.ts';
import { serversFor } from '../platform/embedded/servers-for.ts';
import { setUpLogToStderr, timedStep } from '../platform/embedded/set-up-log.ts';
import { runRole, type RunningRole } from '../platform/process/run-role.ts';
import { apiOptions, startApi } from './api.ts';
import { migrateDatabase } from './migrate.ts';

async function start(): Promise<RunningRole> {
  const servers = await serversFor(loadConfig(process.env, 'standalone'), setUpLogToStderr);
  const { config } = servers;
  try {
    await timedStep(setUpLogToStderr, 'migrating the database', async () => await migrateDatabase(config));
    const api = await startApi(apiOptions(config));
    const first = await api.app.get(FirstStart, { strict: false }).createProvider(config.providerName);
    process.stdout.write(`Holdfast is up at ${api.url}\n`);
    if (first !== null) {
      process.stdout.write(`Administrator token, shown this once: ${first.token}\n`);
    }
    return {
      ready: { url: config.api.publicUrl ?? api.url, ...(first === null ? {} : { administratorToken: first.token }) },
      failed: servers.failed,
      graceMs: config.shutdownGraceMs,
      stop: async () => {
        await api.close();
        await servers.stop();
      },
    };
  } catch (error) {
    await servers.stop();
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
