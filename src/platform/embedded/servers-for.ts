import { withServers, type Config, type ServiceConfig } from '../config/config.ts';
import { startEmbeddedEngines } from './engines.ts';
import type { SetUpLog } from './set-up-log.ts';

export interface Servers {
  /** The configuration with the servers that are used in fact. */
  readonly config: ServiceConfig;
  /** Settles when an embedded server ends although nobody asked it to; never for servers of somebody else. */
  readonly failed: Promise<string>;
  /** Process ids of the embedded ones by name. */
  readonly pids: Readonly<Record<string, number>>;
  /** Ends the embedded ones and gives the data folder back. */
  stop(): Promise<void>;
}

/** The servers that a configuration names; what it doesn't name is run here, on its data folder. */
export async function serversFor(config: Config, log: SetUpLog): Promise<Servers> {
  const engines = await startEmbeddedEngines({
    dataFolder: config.dataFolder,
    postgres: config.database.url === undefined,
    temporal: config.temporal.address === undefined,
    namespace: config.temporal.namespace,
    cache: config.cacheFolder,
    path: config.programPath,
    log,
  });
  return {
    config: withServers(config, {
      databaseUrl: engines.database?.url,
      databaseAdminUrl: engines.database?.adminUrl,
      temporalAddress: engines.temporalAddress,
    }),
    failed: engines.failed,
    pids: engines.pids,
    stop: async () => await engines.stop(),
  };
}
