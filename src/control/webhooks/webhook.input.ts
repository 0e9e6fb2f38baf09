import { z } from 'zod';
import { listArgs, listQuery } from '../../platform/paging/page-args.ts';
import {
  expectedVersionField,
  globalId,
  idempotencyKeyField,
  nameField,
  optional,
} from '../../platform/wire/fields.ts';

const ofTenant = { tenantId: optional(globalId('Tenant')) };
export const listEndpointsArgs = listArgs(ofTenant);
export const listEndpointsQuery = listQuery(ofTenant);
export type ListEndpointsArgs = z.infer<typeof listEndpointsArgs>;

const deliveryState = z.enum(['PENDING', 'DELIVERED', 'FAILED']);
const byState = { state: optional(deliveryState) };
export const listDeliveriesArgs = listArgs({ ...byState, webhookEndpointId: globalId('WebhookEndpoint') });
export const listDeliveriesQuery = listQuery(byState);
export type ListDeliveriesArgs = z.infer<typeof listDeliveriesArgs>;
export type ListDeliveriesQuery = z.infer<typeof listDeliveriesQuery>;

const url = z.string().max(2000);
/** Event types, each exact or a prefix that ends in `*`. */
const eventTypes = z
  .array(z.string().regex(/^(\*|[a-z0-9_]+([.][a-z0-9_]+)*([.]\*)?)$/, 'an event type, or a prefix that ends in ".*"'))
  .min(1)
  .max(50);

export const createEndpointBody = z.strictObject({
  tenantId: optional(globalId('Tenant')),
  name: nameField,
  url,
  eventTypes,
  reach: optional(z.enum(['SELF', 'SUBTREE'])),
});
export type CreateEndpointBody = z.infer<typeof createEndpointBody>;
export const createEndpointInput = createEndpointBody.extend({ idempotencyKey: idempotencyKeyField });
export type CreateEndpointInput = z.infer<typeof createEndpointInput>;

const existing = {
  webhookEndpointId: globalId('WebhookEndpoint'),
  expectedVersion: optional(expectedVersionField),
};

export const updateEndpointBody = z.strictObject({
  name: optional(nameField),
  url: optional(url),
  eventTypes: optional(eventTypes),
});
export type UpdateEndpointBody = z.infer<typeof updateEndpointBody>;
export const updateEndpointInput = updateEndpointBody.extend({
  ...existing,
  idempotencyKey: optional(idempotencyKeyField),
});
export type UpdateEndpointInput = z.infer<typeof updateEndpointInput>;

export const switchEndpointInput = z.strictObject({ ...existing, idempotencyKey: optional(idempotencyKeyField) });
export type SwitchEndpointInput = z.infer<typeof switchEndpointInput>;

const DAY_SECONDS = 86_400;
export const rotateSecretBody = z.strictObject({
  overlapSeconds: optional(
    z
      .int()
      .min(0)
      .max(30 * DAY_SECONDS),
  ),
});
export type RotateSecretBody = z.infer<typeof rotateSecretBody>;
export const rotateSecretInput = rotateSecretBody.extend({ ...existing, idempotencyKey: idempotencyKeyField });
export type RotateSecretInput = z.infer<typeof rotateSecretInput>;

export const deleteEndpointInput = z.strictObject({ ...existing, idempotencyKey: idempotencyKeyField });
export type DeleteEndpointInput = z.infer<typeof deleteEndpointInput>;

export const replayDeliveryInput = z.strictObject({
  webhookDeliveryId: globalId('WebhookDelivery'),
  idempotencyKey: idempotencyKeyField,
});
export type ReplayDeliveryInput = z.infer<typeof replayDeliveryInput>;

const instant = z.union([z.date(), z.iso.datetime({ offset: true }).transform((text) => new Date(text))]);
export const replayDeliveriesBody = z.strictObject({
  from: instant,
  to: instant,
  state: optional(z.enum(['DELIVERED', 'FAILED'])),
});
export type ReplayDeliveriesBody = z.infer<typeof replayDeliveriesBody>;
export const replayDeliveriesInput = replayDeliveriesBody.extend({
  webhookEndpointId: globalId('WebhookEndpoint'),
  idempotencyKey: idempotencyKeyField,
});
export type ReplayDeliveriesInput = z.infer<typeof replayDeliveriesInput>;
