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

/** Throws NOT_FOUND where the actor can't see it. */
export async function getDelivery(em: EntityManager, { tenantId, id }: NodeKey): Promise<WebhookDeliveryRow> {
  const row = await em.findOneBy(WebhookDeliveryRow, { tenantId: tenantId as WebhookDeliveryRow['tenantId'], id });
  if (row === null) {
    throw notFound('WebhookDelivery');
  }
  return row;
}

export function toEndpointIds({ tenantId, id }: NodeKey): Pick<WebhookEndpointRow, 'tenantId' | 'id'> {
  return { tenantId: tenantId as WebhookEndpointRow['tenantId'], id: id as WebhookEndpointRow['id'] };
}
