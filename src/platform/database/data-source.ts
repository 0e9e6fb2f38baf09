import { DataSource, getMetadataArgsStorage } from 'typeorm';

export type DatabaseRole = 'holdfast_api' | 'holdfast_worker' | 'holdfast_relay';

export interface DatabaseOptions {
  readonly url: string;
  /** What the process acts as, whoever it logged in as. */
  readonly role: DatabaseRole;
  readonly poolSize?: number;
}

/** Injection token; only `platform/database` takes it. */
export const DATA_SOURCE = Symbol('DATA_SOURCE');

/** Every entity that the process has imported. Modules import their entities, so nobody keeps a list. */
function importedEntities(): Function[] {
  return getMetadataArgsStorage().tables.flatMap(({ target }) => (typeof target === 'function' ? [target] : []));
}

export function createDataSource({ url, role, poolSize = 10 }: DatabaseOptions): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    applicationName: role,
    entities: importedEntities(),
    synchronize: false,
    logging: false,
    poolSize,
    extra: {
      options: `-c role=${role} -c search_path=app -c TimeZone=UTC -c statement_timeout=30s -c idle_in_transaction_session_timeout=60s`,
      connectionTimeoutMillis: 10_000,
    },
  });
}
