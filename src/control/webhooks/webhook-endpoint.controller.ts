import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import type { NodeKey } from '../../kernel/global-id.ts';
import { type ListBody, mapConnection, toListBody } from '../../platform/paging/connection.ts';
import { IdempotencyKey, IfMatch, OptionalIdempotencyKey } from '../../platform/rest/headers.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { type EndpointWithSecret, WebhookEndpointService } from './webhook-endpoint.service.ts';
import * as webhook from './webhook.input.ts';
import {
  endpointView,
  type EndpointView,
  endpointWithSecretView,
  type EndpointWithSecretView,
  toEndpointView,
} from './webhook.view.ts';

@Controller('v1/webhook-endpoints')
export class WebhookEndpointController {
  constructor(private readonly endpoints: WebhookEndpointService) {}

  @Get()
  @Operation({
    summary: 'List the webhook endpoints of a tenant, newest first',
    permission: 'webhooks:read',
    returns: endpointView,
    list: true,
    query: { tenantId: 'Tenant' },
  })
  async listWebhookEndpoints(
    @Query(inputPipe(webhook.listEndpointsQuery)) query: webhook.ListEndpointsArgs,
  ): Promise<ListBody<EndpointView>> {
    return toListBody(mapConnection(await this.endpoints.listWebhookEndpoints(query), toEndpointView));
  }

  @Get(':webhookEndpointId')
  @Operation({
    summary: 'Read a webhook endpoint',
    permission: 'webhooks:read',
    returns: endpointView,
    ids: { webhookEndpointId: 'WebhookEndpoint' },
  })
  async getWebhookEndpoint(@Param('webhookEndpointId', idPipe('WebhookEndpoint')) key: NodeKey): Promise<EndpointView> {
    return toEndpointView(await this.endpoints.getWebhookEndpoint(key));
  }

  @Post()
  @Operation({
    summary: 'Create a webhook endpoint; its signing secret is shown once, here',
    permission: 'webhooks:write',
    status: 201,
    body: webhook.createEndpointBody,
    returns: endpointWithSecretView,
    idempotencyKey: 'required',
  })
  async createWebhookEndpoint(
    @Body(inputPipe(webhook.createEndpointBody)) body: webhook.CreateEndpointBody,
    @IdempotencyKey() idempotencyKey: string,
  ): Promise<EndpointWithSecretView> {
    return withSecret(await this.endpoints.createWebhookEndpoint({ ...body, idempotencyKey }));
  }

  @Patch(':webhookEndpointId')
  @Operation({
    summary: 'Change the name, URL or event filter of a webhook endpoint',
    permission: 'webhooks:write',
    body: webhook.updateEndpointBody,
    returns: endpointView,
    ids: { webhookEndpointId: 'WebhookEndpoint' },
    idempotencyKey: 'optional',
    ifMatch: true,
  })
  async updateWebhookEndpoint(
    @Param('webhookEndpointId', idPipe('WebhookEndpoint')) webhookEndpointId: NodeKey,
    @Body(inputPipe(webhook.updateEndpointBody)) body: webhook.UpdateEndpointBody,
    @IfMatch() expectedVersion: number | undefined,
    @OptionalIdempotencyKey() idempotencyKey: string | undefined,
  ): Promise<EndpointView> {
    const input = { ...body, webhookEndpointId, expectedVersion, idempotencyKey };
    return toEndpointView(await this.endpoints.updateWebhookEndpoint(input));
  }

  @Post(':webhookEndpointId/rotate-secret')
  @HttpCode(200)
  @Operation({
    summary: 'Make a new signing secret; both sign until the overlap ends',
    permission: 'webhooks:write',
    body: webhook.rotateSecretBody,
    returns: endpointWithSecretView,
    ids: { webhookEndpointId: 'WebhookEndpoint' },
    idempotencyKey: 'required',
    ifMatch: true,
  })
  async rotateWebhookSecret(
    @Param('webhookEndpointId', idPipe('WebhookEndpoint')) webhookEndpointId: NodeKey,
    @Body(inputPipe(webhook.rotateSecretBody)) body: webhook.RotateSecretBody,
    @IfMatch() expectedVersion: number | undefined,
    @IdempotencyKey() idempotencyKey: string,
  ): Promise<EndpointWithSecretView> {
    const input = { ...body, webhookEndpointId, expectedVersion, idempotencyKey };
    return withSecret(await this.endpoints.rotateWebhookSecret(input));
  }

  @Delete(':webhookEndpointId')
  @HttpCode(204)
  @Operation({
    summary: 'Delete a webhook endpoint and its delivery log',
    permission: 'webhooks:write',
    status: 204,
    ids: { webhookEndpointId: 'WebhookEndpoint' },
    idempotencyKey: 'required',
    ifMatch: true,
  })
  async deleteWebhookEndpoint(
    @Param('webhookEndpointId', idPipe('WebhookEndpoint')) webhookEndpointId: NodeKey,
    @IfMatch() expectedVersion: number | undefined,
    @IdempotencyKey() idempotencyKey: string,
  ): Promise<void> {
    await this.endpoints.deleteWebhookEndpoint({ webhookEndpointId, expectedVersion, idempotencyKey });
  }
}

function withSecret({ endpoint, secret }: EndpointWithSecret): EndpointWithSecretView {
  return { webhookEndpoint: toEndpointView(endpoint), secret };
}
