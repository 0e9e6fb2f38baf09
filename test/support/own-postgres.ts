import { join } from 'node:path';
import { temporaryDataFolder } from '../../src/platform/embedded/data-folder.ts';
import { postgresBinaries } from '../../src/platform/embedded/postgres-binaries.ts';
import { ensureDatabase, startPostgres, type PostgresServer } from '../../src/platform/embedded/postgres-server.ts';
import { postgresUser } from '../../src/platform/embedded/postgres-user.ts';
import { ServerKeeper } from '../../src/platform/embedded/server-keeper.ts';
import { migrate } from '../../src/platform/database/migrations.ts';
import { projectFile } from '../../src/platform/project-file.ts';

export interface OwnPostgres {
  /** What api, worker and relay connect with: DATABASE_URL. */
  readonly url: string;
  /** The superuser's: DATABASE_ADMIN_URL. */
  readonly adminUrl: string;
  /** Ends it and runs it again, at the same address and on the same data. */
  restart(): Promise<void>;
  /** Ends it; nobody answers until `restart`. */
  down(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

const DATABASE = 'holdfast';

/** A migrated PostgreSQL of the test's own, for tests that take it away in the middle of something. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const folder = await temporaryDataFolder();
  const keeper = new ServerKeeper();
  keeper.removeAtEnd(folder);
  const user = await postgresUser();
  const log = (): void => undefined;
  const binaries = await postgresBinaries(user, log);
  const run = async (port?: number): Promise<PostgresServer> =>
    await startPostgres({
      keeper,
      binaries,
      user,
      folder: join(folder, 'postgres'),
      passwordFile: join(folder, 'secrets', 'password'),
      logFile: join(folder, 'postgres.log'),
      log,
      volatile: true,
      ...(port === undefined ? {} : { port }),
    });
  try {
    let postgres = await run();
    await ensureDatabase(postgres, DATABASE);
    const adminUrl = postgres.urlOf(DATABASE);
    const url = postgres.urlOf(DATABASE, { name: 'holdfast_test', password: 'test' });
    await migrate({ adminUrl, databaseUrl: url, folder: projectFile('migrations') });
    const down = async (): Promise<void> => await postgres.server.stop();
    const restart = async (): Promise<void> => {
      await down();
      postgres = await run(postgres.port);
    };
    return { url, adminUrl, restart, down, stop: async () => await keeper.close() };
  } catch (error) {
    await keeper.close();
    throw error;
  }
}
