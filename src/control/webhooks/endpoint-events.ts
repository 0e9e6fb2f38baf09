import type { ErrorData } from '../../kernel/errors.ts';
import { toGlobalId } from '../../kernel/global-id.ts';
import type { Sql } from '../../platform/feed/sql.ts';

/** What the relay itself has to tell about an endpoint; it may write no other events. */
export type EndpointEventType = 'webhook_endpoint.failing' | 'webhook_endpoint.recovered' | 'webhook_endpoint.gone';

export async function writeEndpointEvent(
  sql: Sql,
  endpoint: { readonly tenantId: string; readonly endpointId: string },
  type: EndpointEventType,
  data: ErrorData,
): Promise<void> {
  const webhookEndpointId = toGlobalId('WebhookEndpoint', endpoint.tenantId, endpoint.endpointId);
  await sql.query(
    `insert into app.event (tenant_id, type, subject_type, subject_id, data) values ($1, $2, 'WebhookEndpoint', $3, $4)`,
    [endpoint.tenantId, type, endpoint.endpointId, JSON.stringify({ webhookEndpointId, ...data })],
  );
}
