import { randomBytes } from 'node:crypto';
import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { systemClock } from '../../kernel/clock.ts';
import { AppError, errnoOf } from '../../kernel/errors.ts';
import { freePort } from '../process/free-port.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { firstClosedFolder, type ServerUser } from './postgres-user.ts';
import type { KeptServer, ServerKeeper } from './server-keeper.ts';
import { endOrphan, keepOnePreviousLog, lastLinesOf } from './server-remains.ts';
import { timedStep, type SetUpLog } from './set-up-log.ts';
import { run } from './temporal-program.ts';

export interface PostgresOptions {
  readonly keeper: ServerKeeper;
  readonly binaries: PostgresBinaries;
  readonly user: ServerUser | undefined;
  /** The cluster; its parent folders must be open to `user`. */
  readonly folder: string;
  /** The superuser's password is kept here, readable by the owner alone. */
  readonly passwordFile: string;
  readonly logFile: string;
  /** Settings beyond the defaults, as `name=value`. */
  readonly settings?: readonly string[];
  /** Nothing has to survive a power cut, and everything may be quicker for it. */
  readonly volatile?: boolean;
  /** Listen here, for a server that comes back under its address; a free one unless given. */
  readonly port?: number;
  readonly log: SetUpLog;
}

export interface PostgresServer {
  readonly port: number;
  readonly server: KeptServer;
  /** The URL of a database: the superuser's, unless a login is named. */
  readonly urlOf: (database: string, login?: Login) => string;
}

export interface Login {
  readonly name: string;
  readonly password: string;
}

const SUPERUSER = 'postgres';
const START_ATTEMPTS = 3;
const READY_WITHIN_MS = 60_000;

/** A random password that is made once and then kept in this file. */
export async function keptPassword(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') {
      throw error;
    }
  }
  const password = randomBytes(24).toString('base64url');
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return password;
}

async function refuseClosedFolder(folder: string, user: ServerUser | undefined): Promise<void> {
  const closed = await firstClosedFolder(dirname(folder), user);
  if (closed !== null) {
    throw new AppError(
      'DATA_FOLDER_UNUSABLE',
      `PostgreSQL does not run as root but as user ${user?.name ?? ''}, and that user may not enter ${closed}.`,
      {
        hint: `Set HOLDFAST_DATA to a folder it may reach, for example /var/lib/holdfast, or allow it: chmod o+x ${closed}`,
      },
    );
  }
}

function initdbArguments(folder: string, passwordFile: string): readonly string[] {
  const flags: Record<string, string> = {
    '--pgdata': folder,
    '--username': SUPERUSER,
    '--pwfile': passwordFile,
    '--auth': 'scram-sha-256',
    '--encoding': 'UTF8',
    '--locale-provider': 'builtin',
    '--builtin-locale': 'C.UTF-8',
    '--locale': 'C',
  };
  return Object.entries(flags).flat();
}

async function createCluster(options: PostgresOptions, password: string): Promise<void> {
  const { folder, user, binaries } = options;
  const asUser = user === undefined ? {} : { uid: user.uid, gid: user.gid };
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  const secrets = await mkdtemp(`${folder}-initdb-`);
  const passwordFile = join(secrets, 'password');
  try {
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    if (user !== undefined) {
      for (const path of [folder, secrets, passwordFile]) {
        await chown(path, user.uid, user.gid);
      }
    }
    await run(
      binaries.initdb,
      [...initdbArguments(folder, passwordFile), ...(options.volatile === true ? ['--no-sync'] : [])],
      {
        cwd: '/',
        env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
        ...asUser,
      },
    );
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    const detail = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : String(cause);
    throw new AppError('DATA_FOLDER_UNUSABLE', `PostgreSQL could not create its cluster in ${folder}: ${detail}`, {
      cause,
    });
  } finally {
    await rm(secrets, { recursive: true, force: true });
  }
}

/**
 * Starts PostgreSQL on its folder, creating the cluster the first time, and returns when it answers. Listens on
 * 127.0.0.1 only. Throws DATA_FOLDER_UNUSABLE or DATABASE_UNAVAILABLE.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { folder, user, logFile } = options;
  await refuseClosedFolder(folder, user);
  const password = await keptPassword(options.passwordFile);
  if (!(await isComplete(folder))) {
    await timedStep(options.log, `creating the database cluster in ${folder}`, async () => {
      await createCluster(options, password);
    });
    await writeFile(`${folder}.complete`, '');
  }
  await endOrphan({ pidFile: join(folder, 'postmaster.pid'), program: 'postgres', folder, signal: 'SIGINT' });
  await keepOnePreviousLog(logFile);
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    const server = await runServer(options, port);
    const urlOf = (database: string, login: Login = { name: SUPERUSER, password }): string =>
      `postgres://${login.name}:${encodeURIComponent(login.password)}@127.0.0.1:${port}/${database}`;
    const giveUp = new AbortController();
    const ending = await Promise.race([server.ended, answers(urlOf('postgres'), giveUp.signal)]);
    if (ending === null) {
      return { port, server, urlOf };
    }
    giveUp.abort();
    // Its port was free a moment ago; another program may have been quicker.
    if (attempt === START_ATTEMPTS) {
      throw new AppError(
        'DATABASE_UNAVAILABLE',
        `PostgreSQL ended with ${ending} at start: ${await lastLinesOf(logFile)}`,
        {
          hint: `Its log is ${logFile}.`,
        },
      );
    }
  }
}

/** A cluster is complete when the mark beside it says so: initdb may have been killed in the middle. */
async function isComplete(folder: string): Promise<boolean> {
  try {
    await readFile(`${folder}.complete`);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') {
      return false;
    }
    throw error;
  }
}

async function runServer(options: PostgresOptions, port: number): Promise<KeptServer> {
  const { folder, user, logFile, binaries } = options;
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    'log_min_messages=warning',
    'log_line_prefix=%m [%p] %q%d ',
    'timezone=UTC',
    'log_timezone=UTC',
    ...(options.volatile === true ? ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'] : []),
    ...(options.settings ?? []),
  ];
  return await options.keeper.run({
    id: 'PostgreSQL',
    command: binaries.postgres,
    args: ['-D', folder, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
    cwd: folder,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    ...(user === undefined ? {} : { user: { uid: user.uid, gid: user.gid } }),
    logFile,
    stopSignals: ['SIGINT', 'SIGQUIT', 'SIGKILL'],
    graceMs: 15_000,
  });
}

/** Resolves with null once a connection is accepted, or nobody waits for it any more. */
async function answers(url: string, giveUp: AbortSignal): Promise<null> {
  const deadline = systemClock.monotonic() + READY_WITHIN_MS;
  while (!giveUp.aborted) {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    try {
      await client.connect();
      return null;
    } catch (cause) {
      if (systemClock.monotonic() > deadline) {
        throw new AppError('DATABASE_UNAVAILABLE', 'The embedded PostgreSQL does not accept connections.', { cause });
      }
    } finally {
      await client.end().catch(() => undefined); // it may never have been connected
    }
    await systemClock.sleep(30);
  }
  return null;
}

/** Creates a database unless it is there. */
export async function ensureDatabase(postgres: PostgresServer, name: string): Promise<void> {
  const client = new Client({ connectionString: postgres.urlOf('postgres') });
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 0) {
      await client.query(`create database ${client.escapeIdentifier(name)}`);
    }
  } finally {
    await client.end();
  }
}
