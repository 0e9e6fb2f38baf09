import { Client, Pool, type ClientBase } from 'pg';
import type { RoleDatabase, Sql, SqlSession } from './sql.ts';

export interface RoleDatabaseOptions {
  readonly url: string;
  /** What the connection acts as; the login role is a member of it. */
  readonly role: 'holdfast_relay' | 'holdfast_api' | 'holdfast_worker';
  readonly poolSize: number;
}

/** Opens a pool whose connections act as `role`. Errors of idle connections are met at their next use. */
export function openRoleDatabase(options: RoleDatabaseOptions): RoleDatabase {
  const settings = {
    connectionString: options.url,
    application_name: options.role,
    options: `-c role=${options.role} -c TimeZone=UTC -c statement_timeout=30s -c idle_in_transaction_session_timeout=60s`,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  };
  const pool = new Pool({ ...settings, max: options.poolSize });
  pool.on('error', () => {
    // The pool has dropped that connection and opens another when one is needed.
  });
  return {
    query: async (text, values) => rowsOf(pool, text, values),
    transaction: async (work) => {
      const client = await pool.connect();
      client.on('error', ignoreLost);
      const failed = { error: undefined as Error | undefined };
      try {
        return await inTransaction(client, work);
      } catch (error) {
        failed.error = error instanceof Error ? error : new Error(String(error));
        throw error;
      } finally {
        client.removeListener('error', ignoreLost);
        client.release(failed.error);
      }
    },
    session: async (onNotice) => openSession(new Client(settings), onNotice),
    end: async () => pool.end(),
  };
}

/** A connection that is lost between two statements: the next statement is rejected and says so. */
function ignoreLost(): void {}

async function openSession(client: Client, onNotice: (() => void) | undefined): Promise<SqlSession> {
  const closed = new Promise<void>((resolve) => {
    client.once('end', resolve);
    client.once('error', () => {
      resolve();
    });
  });
  client.on('error', () => {
    // Told through `closed`; a query in flight is rejected by itself.
  });
  if (onNotice !== undefined) {
    client.on('notification', onNotice);
  }
  await client.connect();
  return {
    closed,
    query: async (text, values) => rowsOf(client, text, values),
    transaction: async (work) => inTransaction(client, work),
    close: async () => client.end(),
  };
}

async function inTransaction<T>(client: ClientBase, work: (sql: Sql) => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    const result = await work({ query: async (text, values) => rowsOf(client, text, values) });
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => {
      // The connection is gone, and the transaction with it.
    });
    throw error;
  }
}

async function rowsOf<Row>(
  client: ClientBase | Pool,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> {
  const result = await client.query(text, [...values]);
  return result.rows as Row[];
}
