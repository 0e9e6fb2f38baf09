import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { toGlobalId, type NodeType } from '../../../src/kernel/global-id.ts';
import { VALUE_OF_TYPE } from '../value-of-type.ts';

/** Where the objects of each type lie. A type without a line here can't be asked for, and the matrix says so. */
const TABLE_OF_TYPE: Partial<Record<NodeType, string>> = {
  ApiToken: 'api_token',
  Site: 'site',
  Pool: 'pool',
  PoolVm: 'pool_vm',
  Host: 'pool_host',
  StorageRepository: 'pool_sr',
  Network: 'pool_network',
  Vm: 'vm',
  PoolGrant: 'pool_grant',
  StorageTarget: 'storage_target',
  StorageGrant: 'storage_grant',
  Vault: 'vault',
  Job: 'job',
  RestorePoint: 'restore_point',
  ReplicationPlan: 'replication_plan',
  WebhookEndpoint: 'webhook_endpoint',
  WebhookDelivery: 'webhook_delivery',
  UsageRecord: 'usage_record',
  UsagePeriod: 'usage_period',
  AuditEntry: 'audit_entry',
  Event: 'event',
};

/** Credentials, which no client ever names. */
const SECRETS = { PoolPassword: 'secret', SigningSecret: 'secret' } as const;

/** Columns that name another object of the kit. */
const REFERENCES: Readonly<Record<string, NodeType | keyof typeof SECRETS>> = {
  site_id: 'Site',
  pool_id: 'Pool',
  pool_vm_id: 'PoolVm',
  vm_id: 'Vm',
  vault_id: 'Vault',
  storage_target_id: 'StorageTarget',
  job_id: 'Job',
  restore_point_id: 'RestorePoint',
  replication_plan_id: 'ReplicationPlan',
  endpoint_id: 'WebhookEndpoint',
  event_id: 'Event',
  storage_repository_id: 'StorageRepository',
  sr_id: 'StorageRepository',
  password_id: 'PoolPassword',
  secret_id: 'SigningSecret',
};

/** Values that a column's type and check don't tell: `table.column` as SQL. */
const VALUES: Readonly<Record<string, string>> = {
  'storage_target.path': `'/srv/' || uuidv7()`,
  'webhook_endpoint.url': `'https://hooks.example/' || uuidv7()`,
  'webhook_endpoint.event_types': `'{site.created}'`,
  'api_token.scopes': `'{READER}'`,
  'api_token.expires_at': `now() + interval '1 day'`,
  'audit_entry.subject_type': `'Site'`,
  'event.subject_type': `'Site'`,
  'event.type': `'site.created'`,
  'event.position': '(random() * 1e15)::bigint',
  'event.sequence': '(random() * 1e15)::bigint',
  'usage_record.meter': `'stored_bytes'`,
  'usage_record.window_end': `now() + interval '1 hour'`,
  'usage_period.period_end': `now() + interval '1 hour'`,
  'usage_period.quantities': `'[]'`,
};

interface Column {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly needed: boolean;
  readonly check: string | null;
}

/** One object of every type for one tenant, each pointing at the others: a site with its pool, its VM, its vault ... */
export class Kit {
  readonly #ids = new Map<string, string>();

  private constructor(readonly tenantId: string) {
    for (const type of Object.keys({ ...TABLE_OF_TYPE, ...SECRETS })) {
      this.#ids.set(type, randomUUID());
    }
  }

  /** Made straight in the tables: foreign keys and triggers are not what is tested here. */
  static async make(client: Client, tenantId: string): Promise<Kit> {
    const kit = new Kit(tenantId);
    const columns = await columnsOf(client);
    const tables = Object.entries({ ...TABLE_OF_TYPE, ...SECRETS });
    const rows = tables.map(([type, table]) => kit.#insert(type, table, columns.get(table) ?? []));
    await client.query(`set session_replication_role = replica; ${rows.join(';\n')}`);
    return kit;
  }

  id(type: NodeType): string {
    return this.idAs(type, this.tenantId);
  }

  /** An id that names this object, but says another tenant: its hint is no authority. */
  idAs(type: NodeType, tenantId: string): string {
    const id = type === 'Tenant' ? this.tenantId : this.#ids.get(type);
    if (id === undefined) {
      throw new Error(`test/isolation/matrix/kit.ts has no ${type}`);
    }
    return toGlobalId(type, tenantId, id);
  }

  #insert(type: string, table: string, columns: readonly Column[]): string {
    const wanted = columns.filter(
      ({ name, needed }) => needed || name === 'id' || name in REFERENCES || `${table}.${name}` in VALUES,
    );
    const values = wanted.map((column) => this.#value(type, column));
    return `insert into app.${table} (${wanted.map(({ name }) => name).join(', ')}) values (${values.join(', ')})`;
  }

  #value(type: string, { table, name, type: sqlType, check }: Column): string {
    // An owner that is named in a column of its own is the tenant itself.
    if (/^(tenant_id|actor_tenant_id|event_tenant_id|.*_owner_id)$/.test(name)) {
      return `'${this.tenantId}'`;
    }
    const referred = name === 'id' ? type : REFERENCES[name];
    if (referred !== undefined) {
      return `'${this.#ids.get(referred) ?? ''}'`;
    }
    const known = VALUES[`${table}.${name}`] ?? (check === null ? undefined : `'${check}'`);
    return known ?? VALUE_OF_TYPE[sqlType] ?? `'{}'`;
  }
}

const read = new WeakMap<Client, Map<string, Column[]>>();

/** Columns that have to be given, and those that may; with the first word that a check lets through. */
async function columnsOf(client: Client): Promise<Map<string, Column[]>> {
  const known = read.get(client);
  if (known !== undefined) {
    return known;
  }
  const { rows } = await client.query<Column>(
    `select c.relname as table, a.attname as name, y.typname as type, a.attnotnull and not a.atthasdef as needed,
       (select substring(pg_get_constraintdef(k.oid) from '''([A-Za-z_-]+)''') from pg_constraint k
        where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum] limit 1) as check
     from pg_class c join pg_attribute a on a.attrelid = c.oid join pg_type y on y.oid = a.atttypid
     where c.relnamespace = 'app'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''`,
  );
  const columns = Map.groupBy(rows, ({ table }) => table);
  read.set(client, columns);
  return columns;
}
