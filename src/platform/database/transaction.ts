import type { DataSource, EntityManager, QueryRunner } from 'typeorm';

interface Closable {
  end(): Promise<void>;
}

/** Begin, work, commit; on any error roll back. A connection that can't be rolled back never returns to the pool. */
export async function inTransaction<T>(dataSource: DataSource, work: (em: EntityManager) => Promise<T>): Promise<T> {
  const runner = dataSource.createQueryRunner();
  const connection = (await runner.connect()) as Closable;
  try {
    await runner.startTransaction();
    const result = await work(runner.manager);
    await runner.commitTransaction();
    return result;
  } catch (error) {
    await rollBack(runner, connection);
    throw error;
  } finally {
    await runner.release();
  }
}

async function rollBack(runner: QueryRunner, connection: Closable): Promise<void> {
  try {
    await runner.rollbackTransaction();
  } catch {
    // The pool drops a client that is ending; the server rolls back when the connection closes.
    connection.end().catch(() => undefined); // lost already: the caller gets the error that led here
  }
}
