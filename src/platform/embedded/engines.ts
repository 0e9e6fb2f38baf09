import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { takeDataFolder } from './data-folder.ts';
import { obtainTemporal } from './obtain-temporal.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import { ensureDatabase, keptPassword, startPostgres, type PostgresServer } from './postgres-server.ts';
import { postgresUser } from './postgres-user.ts';
import { ServerKeeper, type Ending } from './server-keeper.ts';
import { timedStep, type SetUpLog } from './set-up-log.ts';
import { startTemporal, type TemporalServer } from './temporal-server.ts';

export interface EmbeddedOptions {
  /** HOLDFAST_DATA: everything that survives a restart. */
  readonly dataFolder: string;
  /** Which of the two to run; the other is somebody else's server. */
  readonly postgres: boolean;
  readonly temporal: boolean;
  readonly namespace: string;
  /** The folder of `cacheFolder()`. */
  readonly cache: string;
  readonly path: string;
  readonly log: SetUpLog;
  /** PostgreSQL settings beyond the defaults, as `name=value`. */
  readonly postgresSettings?: readonly string[];
  /** The data folder is removed after the servers have ended, however this process ends. */
  readonly temporary?: boolean;
}

export interface EmbeddedDatabase {
  /** What api, worker and relay connect with; its login is made by `migrate`. */
  readonly url: string;
  /** The superuser's. */
  readonly adminUrl: string;
  readonly server: PostgresServer;
}

export interface EmbeddedEngines {
  /** Undefined when PostgreSQL is not ours. */
  readonly database: EmbeddedDatabase | undefined;
  /** host:port; undefined when Temporal is not ours. */
  readonly temporalAddress: string | undefined;
  /** Settles when one of the servers ends although nobody asked it to; says which, and how. */
  readonly failed: Promise<string>;
  /** Process ids of the servers by name, for reports and fault tests. */
  readonly pids: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

const DATABASE = 'holdfast';
/** The login of the service itself: never the superuser. */
const SERVICE_LOGIN = 'holdfast_service';

/** Starts the embedded servers on a data folder; on any failure nothing is left running. */
export async function startEmbeddedEngines(options: EmbeddedOptions): Promise<EmbeddedEngines> {
  const folder = resolve(options.dataFolder);
  const lock = await takeDataFolder(folder);
  const keeper = new ServerKeeper();
  const close = async (): Promise<void> => {
    await keeper.close();
    lock.release();
  };
  try {
    if (options.temporary === true) {
      keeper.removeAtEnd(folder);
    }
    await mkdir(join(folder, 'logs'), { recursive: true, mode: 0o700 });
    const [database, temporal] = await Promise.all([
      options.postgres ? embeddedPostgres(options, folder, keeper) : undefined,
      options.temporal ? embeddedTemporal(options, folder, keeper) : undefined,
    ]);
    return supervised(folder, database, temporal, close);
  } catch (error) {
    await close();
    throw error;
  }
}

function supervised(
  folder: string,
  database: EmbeddedDatabase | undefined,
  temporal: TemporalServer | undefined,
  close: () => Promise<void>,
): EmbeddedEngines {
  let stopping = false;
  const failed = Promise.withResolvers<string>();
  const pids: Record<string, number> = {};
  const watch = async (name: string, ended: Promise<Ending>): Promise<void> => {
    const ending = await ended;
    if (!stopping) {
      failed.resolve(`${name} ended with ${ending}; its log is in ${join(folder, 'logs')}.`);
    }
  };
  if (database !== undefined) {
    pids['postgres'] = database.server.server.pid;
    void watch('PostgreSQL', database.server.server.ended);
  }
  if (temporal !== undefined) {
    pids['temporal'] = temporal.server.pid;
    void watch('Temporal', temporal.server.ended);
  }
  return {
    database,
    temporalAddress: temporal?.address,
    failed: failed.promise,
    pids,
    stop: async () => {
      stopping = true;
      await close();
    },
  };
}

async function embeddedPostgres(
  options: EmbeddedOptions,
  folder: string,
  keeper: ServerKeeper,
): Promise<EmbeddedDatabase> {
  const { log } = options;
  const user = await postgresUser();
  const binaries = await postgresBinaries(user, log);
  const secrets = join(folder, 'secrets');
  const server = await timedStep(log, `starting PostgreSQL${user === undefined ? '' : ` as user ${user.name}`}`, () =>
    startPostgres({
      keeper,
      binaries,
      user,
      folder: join(folder, 'postgres'),
      passwordFile: join(secrets, 'postgres-password'),
      logFile: join(folder, 'logs', 'postgres.log'),
      settings: options.postgresSettings ?? [],
      volatile: options.temporary === true,
      log,
    }),
  );
  await ensureDatabase(server, DATABASE);
  const password = await keptPassword(join(secrets, 'service-password'));
  return {
    url: server.urlOf(DATABASE, { name: SERVICE_LOGIN, password }),
    adminUrl: server.urlOf(DATABASE),
    server,
  };
}

async function embeddedTemporal(
  options: EmbeddedOptions,
  folder: string,
  keeper: ServerKeeper,
): Promise<TemporalServer> {
  const { log, cache, path, namespace } = options;
  const program = await obtainTemporal({ cache, path, log });
  return await timedStep(log, `starting Temporal (${program})`, () =>
    startTemporal({
      keeper,
      program,
      folder: join(folder, 'temporal'),
      logFile: join(folder, 'logs', 'temporal.log'),
      namespace,
    }),
  );
}
