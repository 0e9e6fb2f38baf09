import { Module, type DynamicModule } from '@nestjs/common';
import type { AddressRange } from '../../platform/config/readers.ts';
import { WEBHOOK_ALLOW } from './webhook-url.ts';

/** What the operator says about webhooks: private address ranges that they may go to all the same. */
@Module({})
export class WebhookSettingsModule {
  static forRoot(allow: readonly AddressRange[]): DynamicModule {
    return {
      module: WebhookSettingsModule,
      global: true,
      providers: [{ provide: WEBHOOK_ALLOW, useValue: allow }],
      exports: [WEBHOOK_ALLOW],
    };
  }
}
