import type { Sql } from '../../platform/feed/sql.ts';

export interface OutgoingEvent {
  readonly tenantId: string;
  readonly id: string;
  readonly type: string;
  /** The CloudEvent as it is sent, byte for byte, in every attempt. */
  readonly body: string;
}

/** Queues each event for every endpoint that wants it; doing so twice is doing it once. */
export async function addDeliveries(sql: Sql, events: readonly OutgoingEvent[]): Promise<void> {
  await sql.query(
    `insert into app.webhook_delivery (tenant_id, endpoint_id, event_tenant_id, event_id, event_type, body)
     select wanted.tenant_id, wanted.endpoint_id, e.tenant_id, e.id, e.type, e.body
       from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) e (tenant_id, id, type, body)
       cross join lateral app.endpoints_for(e.tenant_id, e.type) wanted
     on conflict (tenant_id, endpoint_id, event_id) do nothing`,
    [
      events.map((event) => event.tenantId),
      events.map((event) => event.id),
      events.map((event) => event.type),
      events.map((event) => event.body),
    ],
  );
}
