import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import { type NodeKey, toGlobalId } from '../../kernel/global-id.ts';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { NodeRegistry } from '../../platform/graphql/node-registry.ts';
import { payload, type Payload, type UserErrorView } from '../../platform/graphql/payload.ts';
import { type Connection, mapConnection } from '../../platform/paging/connection.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { type EndpointWithSecret, WebhookEndpointService } from './webhook-endpoint.service.ts';
import { WebhookSwitchService } from './webhook-switch.service.ts';
import { WEBHOOK_USER_ERRORS } from './webhook.errors.ts';
import * as webhook from './webhook.input.ts';
import { type EndpointView, toEndpointView } from './webhook.view.ts';

type EndpointPayload = Payload<'webhookEndpoint', EndpointView>;

interface SecretPayload {
  readonly webhookEndpoint: EndpointView | null;
  readonly secret: string | null;
  readonly userErrors: readonly UserErrorView[];
}

@Resolver()
export class WebhookEndpointResolver {
  constructor(
    private readonly endpoints: WebhookEndpointService,
    private readonly switches: WebhookSwitchService,
    nodes: NodeRegistry,
  ) {
    nodes.register('WebhookEndpoint', {
      permission: 'webhooks:read',
      get: async (key) => toEndpointView(await endpoints.getWebhookEndpoint(key)),
    });
  }

  @Query('webhookEndpoint')
  @RequiresPermission('webhooks:read')
  async webhookEndpoint(@Args('id', idPipe('WebhookEndpoint')) key: NodeKey): Promise<EndpointView> {
    return toEndpointView(await this.endpoints.getWebhookEndpoint(key));
  }

  @Query('webhookEndpoints')
  @RequiresPermission('webhooks:read')
  async webhookEndpoints(
    @Args(inputPipe(webhook.listEndpointsArgs)) args: webhook.ListEndpointsArgs,
  ): Promise<Connection<EndpointView>> {
    return mapConnection(await this.endpoints.listWebhookEndpoints(args), toEndpointView);
  }

  @Mutation('createWebhookEndpoint')
  @RequiresPermission('webhooks:write')
  async createWebhookEndpoint(
    @Args('input', inputPipe(webhook.createEndpointInput)) input: webhook.CreateEndpointInput,
  ): Promise<SecretPayload> {
    return await secretPayload(this.endpoints.createWebhookEndpoint(input));
  }

  @Mutation('updateWebhookEndpoint')
  @RequiresPermission('webhooks:write')
  async updateWebhookEndpoint(
    @Args('input', inputPipe(webhook.updateEndpointInput)) input: webhook.UpdateEndpointInput,
  ): Promise<EndpointPayload> {
    const updated = this.endpoints.updateWebhookEndpoint(input).then(toEndpointView);
    return await payload('webhookEndpoint', WEBHOOK_USER_ERRORS, updated);
  }

  @Mutation('rotateWebhookSecret')
  @RequiresPermission('webhooks:write')
  async rotateWebhookSecret(
    @Args('input', inputPipe(webhook.rotateSecretInput)) input: webhook.RotateSecretInput,
  ): Promise<SecretPayload> {
    return await secretPayload(this.endpoints.rotateWebhookSecret(input));
  }

  @Mutation('enableWebhookEndpoint')
  @RequiresPermission('webhooks:write')
  async enableWebhookEndpoint(
    @Args('input', inputPipe(webhook.switchEndpointInput)) input: webhook.SwitchEndpointInput,
  ): Promise<EndpointPayload> {
    const enabled = this.switches.enableWebhookEndpoint(input).then(toEndpointView);
    return await payload('webhookEndpoint', WEBHOOK_USER_ERRORS, enabled);
  }

  @Mutation('disableWebhookEndpoint')
  @RequiresPermission('webhooks:write')
  async disableWebhookEndpoint(
    @Args('input', inputPipe(webhook.switchEndpointInput)) input: webhook.SwitchEndpointInput,
  ): Promise<EndpointPayload> {
    const disabled = this.switches.disableWebhookEndpoint(input).then(toEndpointView);
    return await payload('webhookEndpoint', WEBHOOK_USER_ERRORS, disabled);
  }

  @Mutation('deleteWebhookEndpoint')
  @RequiresPermission('webhooks:write')
  async deleteWebhookEndpoint(
    @Args('input', inputPipe(webhook.deleteEndpointInput)) input: webhook.DeleteEndpointInput,
  ): Promise<Payload<'deletedWebhookEndpointId', string>> {
    const gone = this.endpoints
      .deleteWebhookEndpoint(input)
      .then(({ type, tenantId, id }) => toGlobalId(type, tenantId, id));
    return await payload('deletedWebhookEndpointId', WEBHOOK_USER_ERRORS, gone);
  }
}

async function secretPayload(work: Promise<EndpointWithSecret>): Promise<SecretPayload> {
  const { made, userErrors } = await payload('made', WEBHOOK_USER_ERRORS, work);
  const webhookEndpoint = made === null ? null : toEndpointView(made.endpoint);
  return { webhookEndpoint, secret: made?.secret ?? null, userErrors };
}
