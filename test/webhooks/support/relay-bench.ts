import { randomBytes, randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { openRoleDatabase } from '../../../src/platform/feed/role-database.ts';
import type { RoleDatabase } from '../../../src/platform/feed/sql.ts';
import { SecretBox } from '../../../src/platform/secrets/sealer.ts';
import { newWebhookSecret } from '../../../src/control/webhooks/webhook-signature.ts';
import { createTestDatabase } from '../../support/test-database.ts';

export interface NewEndpoint {
  readonly url: string;
  readonly tenantId: string;
  readonly eventTypes?: readonly string[];
  readonly reach?: 'SELF' | 'SUBTREE';
}

export interface MadeEndpoint {
  readonly id: string;
  readonly secret: string;
}

/** A migrated database with a provider and a customer, seen as the superuser and as the relay. */
export interface RelayBench {
  readonly databaseUrl: string;
  readonly adminUrl: string;
  readonly admin: Client;
  readonly relay: RoleDatabase;
  readonly providerId: string;
  readonly customerId: string;
  readonly secretKey: Buffer;
  readonly box: SecretBox;
  addEvent(tenantId: string, type?: string, data?: object): Promise<string>;
  addEndpoint(endpoint: NewEndpoint): Promise<MadeEndpoint>;
  readonly rows: <Row>(text: string, values?: readonly unknown[]) => Promise<Row[]>;
  close(): Promise<void>;
}

export async function openRelayBench(): Promise<RelayBench> {
  const database = await createTestDatabase();
  const admin = new Client({ connectionString: database.adminUrl });
  await admin.connect();
  const relay = openRoleDatabase({ url: database.url, role: 'holdfast_relay', poolSize: 4 });
  const rows = async <Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> =>
    (await admin.query(text, [...values])).rows as Row[];
  const providerId = await seedProvider(rows);
  const customerId = await seedCustomer(rows, providerId);
  const secretKey = randomBytes(32);
  const box = new SecretBox(secretKey);
  return {
    databaseUrl: database.url,
    adminUrl: database.adminUrl,
    admin,
    relay,
    providerId,
    customerId,
    secretKey,
    box,
    rows,
    addEvent: async (tenantId, type = 'site.created', data = {}) => {
      const [row] = await rows<{ id: string }>(
        `insert into app.event (tenant_id, type, subject_type, subject_id, data) values ($1, $2, 'Site', $3, $4) returning id`,
        [tenantId, type, randomUUID(), JSON.stringify(data)],
      );
      return row?.id ?? '';
    },
    addEndpoint: async (endpoint) => {
      const secret = newWebhookSecret();
      const secretId = await addSecret(rows, box, endpoint.tenantId, secret);
      const [row] = await rows<{ id: string }>(
        `insert into app.webhook_endpoint (tenant_id, name, url, event_types, reach, secret_id)
         values ($1, 'Receiver', $2, $3, $4, $5) returning id`,
        [endpoint.tenantId, endpoint.url, endpoint.eventTypes ?? ['*'], endpoint.reach ?? 'SELF', secretId],
      );
      return { id: row?.id ?? '', secret };
    },
    close: async () => {
      await relay.end();
      await admin.end();
      await database.drop();
    },
  };
}

type Rows = RelayBench['rows'];

export async function addSecret(rows: Rows, box: SecretBox, tenantId: string, secret: string): Promise<string> {
  const secretId = randomUUID();
  const sealed = box.seal(secret, { tenantId, secretId, purpose: 'WEBHOOK_SECRET' });
  await rows(`insert into app.secret (tenant_id, id, purpose, sealed) values ($1, $2, 'WEBHOOK_SECRET', $3)`, [
    tenantId,
    secretId,
    sealed,
  ]);
  return secretId;
}

async function seedProvider(rows: Rows): Promise<string> {
  const [row] = await rows<{ id: string }>(`select app.create_provider('Provider') as id`);
  return row?.id ?? '';
}

async function seedCustomer(rows: Rows, providerId: string): Promise<string> {
  const id = randomUUID();
  await rows(`insert into app.tenant (id, parent_id, kind, name) values ($1, $2, 'CUSTOMER', 'Customer')`, [
    id,
    providerId,
  ]);
  await rows(`insert into app.tenant_closure values ($1, $2, 1), ($2, $2, 0)`, [providerId, id]);
  return id;
}
