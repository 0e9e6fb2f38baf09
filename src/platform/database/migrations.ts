import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { AppError } from '../../kernel/errors.ts';
import { ensureLoginRole } from './login-role.ts';
import { toDatabaseError } from './sql-state.ts';

export interface MigrateOptions {
  /** A superuser, or one who may create roles and owns the database. */
  readonly adminUrl: string;
  /** What api, worker and relay will log in with; the role is created or brought into line. */
  readonly databaseUrl?: string;
  /** Folder of `NNNN-name.sql` files. */
  readonly folder: string;
}

export interface MigrateResult {
  readonly applied: readonly string[];
  readonly alreadyThere: number;
}

interface MigrationFile {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/** Any number: it only has to be the same for everyone who migrates. */
const LOCK = 0x686f6c64;
const OLDEST_POSTGRES = 180_000;

/**
 * Brings the database up to the newest migration: one file, one transaction, under a lock that lets one process migrate
 * at a time. Throws DATABASE_TOO_OLD, DATABASE_UNAVAILABLE, or MIGRATION_FAILED (also where an applied file has changed).
 */
export async function migrate({ adminUrl, databaseUrl, folder }: MigrateOptions): Promise<MigrateResult> {
  const files = await readMigrations(folder);
  const client = new Client({ connectionString: adminUrl, application_name: 'holdfast_migrate' });
  try {
    await client.connect();
    await requireVersion(client);
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    const applied = await applyMissing(client, files);
    if (databaseUrl !== undefined) {
      await ensureLoginRole(client, databaseUrl);
    }
    return { applied, alreadyThere: files.length - applied.length };
  } catch (error) {
    throw toDatabaseError(error);
  } finally {
    await client.end();
  }
}

async function readMigrations(folder: string): Promise<MigrationFile[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}-.*\.sql$/.test(name)).toSorted();
  return await Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(folder, name), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

async function requireVersion(client: Client): Promise<void> {
  const { rows } = await client.query<{ number: number; name: string }>(
    `select current_setting('server_version_num')::integer as number, current_setting('server_version') as name`,
  );
  if ((rows[0]?.number ?? 0) < OLDEST_POSTGRES) {
    throw new AppError('DATABASE_TOO_OLD', `The server is PostgreSQL ${rows[0]?.name}; Holdfast needs 18 or newer.`);
  }
}

async function applyMissing(client: Client, files: readonly MigrationFile[]): Promise<string[]> {
  await client.query(`create table if not exists public.holdfast_migration (
    name text primary key, checksum text not null, applied_at timestamptz not null default now())`);
  const { rows } = await client.query<{ name: string; checksum: string }>(
    'select name, checksum from public.holdfast_migration',
  );
  const known = new Map(rows.map((row) => [row.name, row.checksum]));
  refuseUnknown(known, files);
  const missing = files.filter((file) => !known.has(file.name));
  for (const file of missing) {
    await apply(client, file);
  }
  return missing.map((file) => file.name);
}

function refuseUnknown(known: ReadonlyMap<string, string>, files: readonly MigrationFile[]): void {
  const checksums = new Map(files.map((file) => [file.name, file.checksum]));
  for (const [name, checksum] of known) {
    const ours = checksums.get(name);
    if (ours === undefined) {
      throw new AppError('MIGRATION_FAILED', `The database has migration ${name}, which this version does not know.`, {
        hint: 'Start the version that last migrated this database, or a newer one.',
      });
    }
    if (ours !== checksum) {
      throw new AppError('MIGRATION_FAILED', `Migration ${name} was changed after it had been applied.`, {
        hint: 'Bring the file back as it was applied, and put the change into a new migration.',
      });
    }
  }
}

async function apply(client: Client, { name, sql, checksum }: MigrationFile): Promise<void> {
  try {
    await client.query('begin');
    await client.query(sql);
    await client.query('insert into public.holdfast_migration (name, checksum) values ($1, $2)', [name, checksum]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined); // where the connection is gone, so is the transaction
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError('MIGRATION_FAILED', `Migration ${name} failed: ${reason}.`, { cause: error });
  }
}
