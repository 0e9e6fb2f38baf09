import { Injectable } from '@nestjs/common';
import { WebhookSecretStore } from './webhook-secret.store.ts';
import { WebhookUrls } from './webhook-url.ts';

/** What endpoints are made from. */
@Injectable()
export class WebhookParts {
  constructor(
    readonly urls: WebhookUrls,
    readonly secrets: WebhookSecretStore,
  ) {}
}
