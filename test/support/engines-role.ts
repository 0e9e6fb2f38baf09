/** The embedded servers as a process of their own, for the tests that kill it: HOLDFAST_DATA says where. */
import { loadConfig } from '../../src/platform/config/config.ts';
import { serversFor } from '../../src/platform/embedded/servers-for.ts';
import { setUpLogToStderr } from '../../src/platform/embedded/set-up-log.ts';
import { runRole } from '../../src/platform/process/run-role.ts';

await runRole({
  name: 'engines',
  about: 'runs the embedded servers until it is told to end',
  start: async () => {
    const servers = await serversFor(loadConfig(process.env, 'standalone'), setUpLogToStderr);
    const { database, temporal } = servers.config;
    return {
      ready: { pids: servers.pids, databaseAdminUrl: database.adminUrl, temporalAddress: temporal.address },
      failed: servers.failed,
      graceMs: servers.config.shutdownGraceMs,
      stop: async () => await servers.stop(),
    };
  },
});
