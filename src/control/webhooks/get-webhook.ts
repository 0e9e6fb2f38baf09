import type { EntityManager } from 'typeorm';
import { notFound, type NodeKey } from '../../kernel/global-id.ts';
import { WebhookDeliveryRow } from './webhook-delivery.entity.ts';
import { WebhookEndpointRow } from './webhook-endpoint.entity.ts';

/** Throws NOT_FOUND where the actor can't see it. */
export async function getEndpoint(em: EntityManager, key: NodeKey): Promise<WebhookEndpointRow> {
  const row = await em.findOneBy(WebhookEndpointRow, toEndpointIds(key));
  if (row === null) {
    throw notFound('WebhookEndpoint');
  }
  return row;
}

/** An endpoint for the subtree is sent what happens below: for those who may read it there. Of `delivery`. */
export const EVENT_IS_SEEN = 'delivery.event_tenant_id = any ((select app.scope())::uuid[])';

/** Throws NOT_FOUND where the actor can't see it. */
export async function getDelivery(em: EntityManager, { tenantId, id }: NodeKey): Promise<WebhookDeliveryRow> {
  const row = await em
    .createQueryBuilder(WebhookDeliveryRow, 'delivery')
    .where('delivery.tenant_id = :tenantId and delivery.id = :id', { tenantId, id })
    .andWhere(EVENT_IS_SEEN)
    .getOne();
  if (row === null) {
    throw notFound('WebhookDelivery');
  }
  return row;
}

export function toEndpointIds({ tenantId, id }: NodeKey): Pick<WebhookEndpointRow, 'tenantId' | 'id'> {
  return { tenantId: tenantId as WebhookEndpointRow['tenantId'], id: id as WebhookEndpointRow['id'] };
}
