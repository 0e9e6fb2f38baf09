import { z } from 'zod';
import { toGlobalId } from '../../kernel/global-id.ts';
import { defineView, idView } from '../../platform/wire/view.ts';
import type { WebhookDeliveryRow } from './webhook-delivery.entity.ts';
import type { WebhookEndpointRow } from './webhook-endpoint.entity.ts';

export const endpointView = defineView('WebhookEndpoint', {
  id: idView('WebhookEndpoint'),
  tenantId: idView('Tenant'),
  name: z.string(),
  url: z.string(),
  eventTypes: z.array(z.string()),
  reach: z.enum(['SELF', 'SUBTREE']),
  state: z.enum(['ENABLED', 'DISABLED', 'GONE']),
  previousSecretExpiresAt: z.date().nullable(),
  failingSince: z.date().nullable(),
  createdAt: z.date(),
  updatedAt: z.date(),
  version: z.int(),
});

export type EndpointView = z.infer<typeof endpointView>;

export function toEndpointView(row: WebhookEndpointRow): EndpointView {
  return {
    __typename: 'WebhookEndpoint',
    id: toGlobalId('WebhookEndpoint', row.tenantId, row.id),
    tenantId: toGlobalId('Tenant', row.tenantId, row.tenantId),
    name: row.name,
    url: row.url,
    eventTypes: row.eventTypes,
    reach: row.reach,
    state: row.state,
    previousSecretExpiresAt: row.previousSecretExpiresAt,
    failingSince: row.failingSince,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    version: row.version,
  };
}

export const deliveryView = defineView('WebhookDelivery', {
  id: idView('WebhookDelivery'),
  tenantId: idView('Tenant'),
  webhookEndpointId: idView('WebhookEndpoint'),
  eventId: idView('Event'),
  eventType: z.string(),
  body: z.string(),
  state: z.enum(['PENDING', 'DELIVERED', 'FAILED']),
  attempts: z.int(),
  nextAttemptAt: z.date().nullable(),
  lastStatus: z.int().nullable(),
  lastError: z.string().nullable(),
  createdAt: z.date(),
  deliveredAt: z.date().nullable(),
});

export type DeliveryView = z.infer<typeof deliveryView>;

export function toDeliveryView(row: WebhookDeliveryRow): DeliveryView {
  return {
    __typename: 'WebhookDelivery',
    id: toGlobalId('WebhookDelivery', row.tenantId, row.id),
    tenantId: toGlobalId('Tenant', row.tenantId, row.tenantId),
    webhookEndpointId: toGlobalId('WebhookEndpoint', row.tenantId, row.endpointId),
    eventId: toGlobalId('Event', row.eventTenantId, row.eventId),
    eventType: row.eventType,
    body: row.body,
    state: row.state,
    attempts: row.attempts,
    nextAttemptAt: row.state === 'PENDING' ? row.nextAttemptAt : null,
    lastStatus: row.lastStatus,
    lastError: row.lastError,
    createdAt: row.createdAt,
    deliveredAt: row.deliveredAt,
  };
}

/** REST's answer where a secret was just made; null in the answer to a repeated request. */
export const endpointWithSecretView = z.object({ webhookEndpoint: endpointView, secret: z.string().nullable() });

export type EndpointWithSecretView = z.infer<typeof endpointWithSecretView>;

/** How many deliveries a range came to; null in the answer to a repeated request. */
export const replayedView = z.object({ replayed: z.int().nullable() });

export type ReplayedView = z.infer<typeof replayedView>;
