import { Module } from '@nestjs/common';
import { AuditModule } from './audit/audit.module.ts';
import { SitesModule } from './sites/sites.module.ts';
import { TenantsModule } from './tenants/tenants.module.ts';
import { TokensModule } from './tokens/tokens.module.ts';
import { WebhooksModule } from './webhooks/webhooks.module.ts';

/** Every domain of the control plane: one line each. */
@Module({ imports: [TenantsModule, TokensModule, AuditModule, SitesModule, WebhooksModule] })
export class ControlModule {}
