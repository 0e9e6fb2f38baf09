import { loadConfig, withServers } from '../platform/config/config.ts';
import { runRole } from '../platform/process/run-role.ts';
import { openProcessLog } from '../platform/telemetry/process-log.ts';
import { activityProcessOptions, startActivityProcess } from './activity-process.ts';

if (import.meta.main) {
  await runRole({
    name: 'mover',
    about:
      'does what pools and vaults are touched for, beside them; any number may serve a site\n\n' +
      'In this version it needs the database and the keys, as a worker does: run it only on machines of the\n' +
      'provider’s own. HOLDFAST_SITES names the sites that it serves, all unless given.',
    start: async () => {
      const config = withServers(loadConfig(process.env, 'mover'));
      openProcessLog(config);
      const mover = await startActivityProcess(activityProcessOptions(config));
      return {
        ready: {},
        failed: mover.failed,
        graceMs: config.shutdownGraceMs,
        stop: async () => await mover.close(),
      };
    },
  });
}
