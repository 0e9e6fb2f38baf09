/** A connection, or a transaction on one, as the relay sees it. */
export interface Sql {
  query<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

/** A connection that is kept: what is locked on it stays locked until it closes. */
export interface SqlSession extends Sql {
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/** The database as one of its roles sees it, without a tenant. */
export interface RoleDatabase extends Sql {
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /** A connection of its own, outside the pool. `onNotice` is called for each notification it LISTENs to. */
  session(onNotice?: () => void): Promise<SqlSession>;
  end(): Promise<void>;
}
