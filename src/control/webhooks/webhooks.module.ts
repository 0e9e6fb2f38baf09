import { Module } from '@nestjs/common';
import { WebhookDeliveryController } from './webhook-delivery.controller.ts';
import { WebhookDeliveryResolver } from './webhook-delivery.resolver.ts';
import { WebhookDeliveryService } from './webhook-delivery.service.ts';
import { WebhookEndpointController } from './webhook-endpoint.controller.ts';
import { WebhookEndpointResolver } from './webhook-endpoint.resolver.ts';
import { WebhookEndpointService } from './webhook-endpoint.service.ts';
import { WebhookParts } from './webhook-parts.ts';
import { WebhookSecretStore } from './webhook-secret.store.ts';
import { WebhookSwitchService } from './webhook-switch.service.ts';
import { WebhookUrls } from './webhook-url.ts';

@Module({
  controllers: [WebhookEndpointController, WebhookDeliveryController],
  providers: [
    WebhookUrls,
    WebhookSecretStore,
    WebhookParts,
    WebhookEndpointService,
    WebhookSwitchService,
    WebhookDeliveryService,
    WebhookEndpointResolver,
    WebhookDeliveryResolver,
  ],
  exports: [WebhookEndpointService, WebhookDeliveryService],
})
export class WebhooksModule {}
