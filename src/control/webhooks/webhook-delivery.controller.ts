import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import type { NodeKey } from '../../kernel/global-id.ts';
import { type ListBody, mapConnection, toListBody } from '../../platform/paging/connection.ts';
import { IdempotencyKey, IfMatch, OptionalIdempotencyKey } from '../../platform/rest/headers.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { WebhookDeliveryService } from './webhook-delivery.service.ts';
import { WebhookSwitchService } from './webhook-switch.service.ts';
import * as webhook from './webhook.input.ts';
import {
  deliveryView,
  type DeliveryView,
  endpointView,
  type EndpointView,
  replayedView,
  type ReplayedView,
  toDeliveryView,
  toEndpointView,
} from './webhook.view.ts';

/** Turning endpoints on and off, what was sent to them, and sending it again. */
@Controller('v1')
export class WebhookDeliveryController {
  constructor(
    private readonly deliveries: WebhookDeliveryService,
    private readonly switches: WebhookSwitchService,
  ) {}

  @Post('webhook-endpoints/:webhookEndpointId/enable')
  @HttpCode(200)
  @Operation({
    summary: 'Send events to a webhook endpoint again',
    permission: 'webhooks:write',
    returns: endpointView,
    ids: { webhookEndpointId: 'WebhookEndpoint' },
    idempotencyKey: 'optional',
    ifMatch: true,
  })
  async enableWebhookEndpoint(
    @Param('webhookEndpointId', idPipe('WebhookEndpoint')) webhookEndpointId: NodeKey,
    @IfMatch() expectedVersion: number | undefined,
    @OptionalIdempotencyKey() idempotencyKey: string | undefined,
  ): Promise<EndpointView> {
    const input = { webhookEndpointId, expectedVersion, idempotencyKey };
    return toEndpointView(await this.switches.enableWebhookEndpoint(input));
  }

  @Post('webhook-endpoints/:webhookEndpointId/disable')
  @HttpCode(200)
  @Operation({
    summary: 'Send nothing more to a webhook endpoint',
    permission: 'webhooks:write',
    returns: endpointView,
    ids: { webhookEndpointId: 'WebhookEndpoint' },
    idempotencyKey: 'optional',
    ifMatch: true,
  })
  async disableWebhookEndpoint(
    @Param('webhookEndpointId', idPipe('WebhookEndpoint')) webhookEndpointId: NodeKey,
    @IfMatch() expectedVersion: number | undefined,
    @OptionalIdempotencyKey() idempotencyKey: string | undefined,
  ): Promise<EndpointView> {
    const input = { webhookEndpointId, expectedVersion, idempotencyKey };
    return toEndpointView(await this.switches.disableWebhookEndpoint(input));
  }

  @Get('webhook-endpoints/:webhookEndpointId/deliveries')
  @Operation({
    summary: 'List what was sent to a webhook endpoint, newest first',
    permission: 'webhooks:read',
    returns: deliveryView,
    list: true,
    ids: { webhookEndpointId: 'WebhookEndpoint' },
    query: { state: 'text' },
  })
  async listWebhookDeliveries(
    @Param('webhookEndpointId', idPipe('WebhookEndpoint')) webhookEndpointId: NodeKey,
    @Query(inputPipe(webhook.listDeliveriesQuery)) query: webhook.ListDeliveriesQuery,
  ): Promise<ListBody<DeliveryView>> {
    const page = await this.deliveries.listWebhookDeliveries({ ...query, webhookEndpointId } as ListArgs);
    return toListBody(mapConnection(page, toDeliveryView));
  }

  @Post('webhook-endpoints/:webhookEndpointId/replay')
  @HttpCode(200)
  @Operation({
    summary: 'Send the deliveries of a span of time again, with the ids they had; at most 10000 a request',
    permission: 'webhooks:write',
    body: webhook.replayDeliveriesBody,
    returns: replayedView,
    ids: { webhookEndpointId: 'WebhookEndpoint' },
    idempotencyKey: 'required',
  })
  async replayWebhookDeliveries(
    @Param('webhookEndpointId', idPipe('WebhookEndpoint')) webhookEndpointId: NodeKey,
    @Body(inputPipe(webhook.replayDeliveriesBody)) body: webhook.ReplayDeliveriesBody,
    @IdempotencyKey() idempotencyKey: string,
  ): Promise<ReplayedView> {
    const { replayed } = await this.deliveries.replayWebhookDeliveries({ ...body, webhookEndpointId, idempotencyKey });
    return { replayed };
  }

  @Get('webhook-deliveries/:webhookDeliveryId')
  @Operation({
    summary: 'Read one delivery, with the body that was sent',
    permission: 'webhooks:read',
    returns: deliveryView,
    ids: { webhookDeliveryId: 'WebhookDelivery' },
  })
  async getWebhookDelivery(@Param('webhookDeliveryId', idPipe('WebhookDelivery')) key: NodeKey): Promise<DeliveryView> {
    return toDeliveryView(await this.deliveries.getWebhookDelivery(key));
  }

  @Post('webhook-deliveries/:webhookDeliveryId/replay')
  @HttpCode(200)
  @Operation({
    summary: 'Send one delivery again, with the id it had',
    permission: 'webhooks:write',
    returns: deliveryView,
    ids: { webhookDeliveryId: 'WebhookDelivery' },
    idempotencyKey: 'required',
  })
  async replayWebhookDelivery(
    @Param('webhookDeliveryId', idPipe('WebhookDelivery')) webhookDeliveryId: NodeKey,
    @IdempotencyKey() idempotencyKey: string,
  ): Promise<DeliveryView> {
    return toDeliveryView(await this.deliveries.replayWebhookDelivery({ webhookDeliveryId, idempotencyKey }));
  }
}

type ListArgs = webhook.ListDeliveriesArgs;
