/** The embedded servers as a process of their own, for the tests that kill it: HOLDFAST_DATA says where. */
import { loadConfig } from '../../src/platform/config/config.ts';
import { startEmbeddedEngines } from '../../src/platform/embedded/engines.ts';
import { setUpLogToStderr } from '../../src/platform/embedded/set-up-log.ts';
import { runRole } from '../../src/platform/process/run-role.ts';

await runRole({
  name: 'engines',
  about: 'runs the embedded servers until it is told to end',
  graceMs: () => 30_000,
  start: async () => {
    const config = loadConfig(process.env, 'standalone');
    const engines = await startEmbeddedEngines({
      dataFolder: config.dataFolder,
      postgres: true,
      temporal: true,
      namespace: config.temporal.namespace,
      cache: config.cacheFolder,
      path: config.programPath,
      log: setUpLogToStderr,
    });
    return {
      ready: {
        pids: engines.pids,
        databaseAdminUrl: engines.database?.adminUrl,
        temporalAddress: engines.temporalAddress,
      },
      failed: engines.failed,
      stop: async () => await engines.stop(),
    };
  },
});
