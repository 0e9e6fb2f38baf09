import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { NodeKey } from '../../kernel/global-id.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { Mutations } from '../../platform/mutations/mutations.ts';
import type { Connection } from '../../platform/paging/connection.ts';
import { Pager } from '../../platform/paging/pager.ts';
import { EVENT_IS_SEEN, getDelivery, getEndpoint } from './get-webhook.ts';
import { WebhookDeliveryRow } from './webhook-delivery.entity.ts';
import type { WebhookEndpointRow } from './webhook-endpoint.entity.ts';
import { deliveryPending, endpointNotEnabled } from './webhook.errors.ts';
import type { ListDeliveriesArgs, ReplayDeliveriesInput, ReplayDeliveryInput } from './webhook.input.ts';

export interface ReplayedRange {
  readonly endpoint: WebhookEndpointRow;
  /** How many are sent again; null where the request itself was a repetition. */
  readonly replayed: number | null;
}

/** Most deliveries that one request sends again; the next request takes the ones after them. */
const MOST_REPLAYED = 10_000;

/** The clock of the attempts starts again; the event's id stays, so that a receiver knows what it has had. */
const AGAIN = `state = 'PENDING', attempts = 0, next_attempt_at = now(), first_due_at = now(), delivered_at = null`;

/** The log of what was sent, and sending it again. */
@Injectable()
export class WebhookDeliveryService {
  constructor(
    private readonly db: TenantDb,
    private readonly mutations: Mutations,
    private readonly pager: Pager,
  ) {}

  async getWebhookDelivery(key: NodeKey): Promise<WebhookDeliveryRow> {
    return await this.db.run(async (em) => await getDelivery(em, key));
  }

  /** The deliveries of one endpoint, newest first. */
  async listWebhookDeliveries(args: ListDeliveriesArgs): Promise<Connection<WebhookDeliveryRow>> {
    const { webhookEndpointId: key, state, ...page } = args;
    return await this.db.within(key, async (em) => {
      const endpoint = await getEndpoint(em, key);
      const query = em
        .createQueryBuilder(WebhookDeliveryRow, 'delivery')
        .where('delivery.tenant_id = :tenantId and delivery.endpoint_id = :id', endpoint)
        .andWhere(EVENT_IS_SEEN);
      if (state !== undefined) {
        query.andWhere('delivery.state = :state', { state });
      }
      const sort = [
        { column: 'delivery.created_at', type: 'timestamptz' },
        { column: 'delivery.id', type: 'uuid' },
      ] as const;
      const list = `webhookDeliveries|${key.tenantId}|${key.id}|${state ?? ''}|newest`;
      return await this.pager.page(query, { list, sort, direction: 'DESC' }, page);
    });
  }

  async replayWebhookDelivery(input: ReplayDeliveryInput): Promise<WebhookDeliveryRow> {
    const { webhookDeliveryId: key } = input;
    return await this.mutations.run({
      name: 'replayWebhookDelivery',
      target: key,
      input,
      work: async (em) => {
        const row = await getDelivery(em, key);
        await requireEnabled(em, { type: 'WebhookEndpoint', tenantId: row.tenantId, id: row.endpointId });
        if (row.state === 'PENDING') {
          throw deliveryPending();
        }
        await em.query(`update app.webhook_delivery set ${AGAIN} where tenant_id = $1 and id = $2`, [
          row.tenantId,
          row.id,
        ]);
        const data = { eventType: row.eventType };
        return { value: await getDelivery(em, key), subject: key, event: 'webhook_delivery.replayed', data };
      },
      replay: async (em) => await getDelivery(em, key),
    });
  }

  /** Sends the deliveries made in [from, to) again, the oldest first: failed ones unless delivered ones are asked for. */
  async replayWebhookDeliveries(input: ReplayDeliveriesInput): Promise<ReplayedRange> {
    const { webhookEndpointId: key, from, to, state = 'FAILED' } = input;
    return await this.mutations.run<ReplayedRange>({
      name: 'replayWebhookDeliveries',
      target: key,
      input,
      work: async (em) => {
        const endpoint = await requireEnabled(em, key);
        const [, replayed] = (await em.query(
          `update app.webhook_delivery set ${AGAIN}
            where tenant_id = $1 and id in (
              select id from app.webhook_delivery delivery
               where tenant_id = $1 and endpoint_id = $2 and state = $3 and created_at >= $4 and created_at < $5
                 and ${EVENT_IS_SEEN}
               order by created_at limit $6)`,
          [key.tenantId, key.id, state, from, to, MOST_REPLAYED],
        )) as [unknown, number];
        const data = { from: from.toISOString(), to: to.toISOString(), state, replayed };
        return { value: { endpoint, replayed }, subject: key, event: 'webhook_endpoint.replayed', data };
      },
      replay: async (em) => ({ endpoint: await getEndpoint(em, key), replayed: null }),
    });
  }
}

async function requireEnabled(em: EntityManager, key: NodeKey): Promise<WebhookEndpointRow> {
  const endpoint = await getEndpoint(em, key);
  if (endpoint.state !== 'ENABLED') {
    throw endpointNotEnabled();
  }
  return endpoint;
}
