import { escapeIdentifier, escapeLiteral, type Client } from 'pg';
import { AppError } from '../../kernel/errors.ts';
import { postgresErrorOf } from './sql-state.ts';

/** Roles are the whole server's, so two databases that are migrated at once may meet here. */
const MADE_BY_ANOTHER: ReadonlySet<string> = new Set(['42710', '23505']);

/** Makes the URL's user a login that inherits nothing and may act as the process roles. */
export async function ensureLoginRole(client: Client, databaseUrl: string): Promise<void> {
  const url = new URL(databaseUrl);
  const user = decodeURIComponent(url.username);
  if (user === '') {
    throw new AppError('CONFIG_INVALID', 'DATABASE_URL names no user.', {
      hint: 'Write it as postgres://user:password@host/database.',
    });
  }
  const { rows } = await client.query<{ superuser: boolean }>(
    'select rolsuper or rolbypassrls as superuser from pg_roles where rolname = $1',
    [user],
  );
  if (rows[0]?.superuser === true) {
    throw new AppError('CONFIG_INVALID', `DATABASE_URL logs in as ${user}, whom row-level security does not hold.`, {
      hint: 'Name an ordinary user in DATABASE_URL; it is created if it does not exist. The superuser belongs into DATABASE_ADMIN_URL.',
    });
  }
  const name = escapeIdentifier(user);
  if (rows.length === 0) {
    const password = url.password === '' ? '' : ` password ${escapeLiteral(decodeURIComponent(url.password))}`;
    await client.query(`create role ${name} login noinherit${password}`).catch(unlessMadeByAnother);
  }
  await client.query(`grant holdfast_api, holdfast_worker, holdfast_relay to ${name} with inherit false, set true`);
}

function unlessMadeByAnother(error: unknown): void {
  if (!MADE_BY_ANOTHER.has(postgresErrorOf(error)?.code ?? '')) {
    throw error;
  }
}
