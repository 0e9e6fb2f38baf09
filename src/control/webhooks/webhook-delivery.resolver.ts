import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { NodeKey } from '../../kernel/global-id.ts';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { NodeRegistry } from '../../platform/graphql/node-registry.ts';
import { payload, type Payload, type UserErrorView } from '../../platform/graphql/payload.ts';
import { type Connection, mapConnection } from '../../platform/paging/connection.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { WebhookDeliveryService } from './webhook-delivery.service.ts';
import { WEBHOOK_USER_ERRORS } from './webhook.errors.ts';
import * as webhook from './webhook.input.ts';
import { type DeliveryView, type EndpointView, toDeliveryView, toEndpointView } from './webhook.view.ts';

interface RangePayload {
  readonly webhookEndpoint: EndpointView | null;
  readonly replayed: number | null;
  readonly userErrors: readonly UserErrorView[];
}

@Resolver()
export class WebhookDeliveryResolver {
  constructor(
    private readonly deliveries: WebhookDeliveryService,
    nodes: NodeRegistry,
  ) {
    nodes.register('WebhookDelivery', {
      permission: 'webhooks:read',
      get: async (key) => toDeliveryView(await deliveries.getWebhookDelivery(key)),
    });
  }

  @Query('webhookDelivery')
  @RequiresPermission('webhooks:read')
  async webhookDelivery(@Args('id', idPipe('WebhookDelivery')) key: NodeKey): Promise<DeliveryView> {
    return toDeliveryView(await this.deliveries.getWebhookDelivery(key));
  }

  @Query('webhookDeliveries')
  @RequiresPermission('webhooks:read')
  async webhookDeliveries(
    @Args(inputPipe(webhook.listDeliveriesArgs)) args: webhook.ListDeliveriesArgs,
  ): Promise<Connection<DeliveryView>> {
    return mapConnection(await this.deliveries.listWebhookDeliveries(args), toDeliveryView);
  }

  @Mutation('replayWebhookDelivery')
  @RequiresPermission('webhooks:write')
  async replayWebhookDelivery(
    @Args('input', inputPipe(webhook.replayDeliveryInput)) input: webhook.ReplayDeliveryInput,
  ): Promise<Payload<'webhookDelivery', DeliveryView>> {
    const again = this.deliveries.replayWebhookDelivery(input).then(toDeliveryView);
    return await payload('webhookDelivery', WEBHOOK_USER_ERRORS, again);
  }

  @Mutation('replayWebhookDeliveries')
  @RequiresPermission('webhooks:write')
  async replayWebhookDeliveries(
    @Args('input', inputPipe(webhook.replayDeliveriesInput)) input: webhook.ReplayDeliveriesInput,
  ): Promise<RangePayload> {
    const work = this.deliveries.replayWebhookDeliveries(input);
    const { range, userErrors } = await payload('range', WEBHOOK_USER_ERRORS, work);
    const webhookEndpoint = range === null ? null : toEndpointView(range.endpoint);
    return { webhookEndpoint, replayed: range?.replayed ?? null, userErrors };
  }
}
