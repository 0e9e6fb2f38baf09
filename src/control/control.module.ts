import { Module } from '@nestjs/common';
import { AuditModule } from './audit/audit.module.ts';
import { BackupsModule } from './backups/backups.module.ts';
import { JobsModule } from './jobs/jobs.module.ts';
import { PoolGrantsModule } from './pool-grants/pool-grants.module.ts';
import { PoolVmsModule } from './pool-vms/pool-vms.module.ts';
import { PoolsModule } from './pools/pools.module.ts';
import { ReplicationModule } from './replication/replication.module.ts';
import { RestorePointsModule } from './restore-points/restore-points.module.ts';
import { RestoresModule } from './restores/restores.module.ts';
import { SitesModule } from './sites/sites.module.ts';
import { StorageGrantsModule } from './storage-grants/storage-grants.module.ts';
import { StorageTargetsModule } from './storage-targets/storage-targets.module.ts';
import { TenantsModule } from './tenants/tenants.module.ts';
import { TokensModule } from './tokens/tokens.module.ts';
import { VaultsModule } from './vaults/vaults.module.ts';
import { VmsModule } from './vms/vms.module.ts';
import { WebhooksModule } from './webhooks/webhooks.module.ts';
import { UsageModule } from './usage/usage.module.ts';
import { EventsModule } from './events/events.module.ts';

/** Every domain of the control plane: one line each. */
@Module({
  imports: [
    TenantsModule,
    TokensModule,
    AuditModule,
    SitesModule,
    PoolsModule,
    PoolVmsModule,
    VmsModule,
    PoolGrantsModule,
    StorageTargetsModule,
    StorageGrantsModule,
    VaultsModule,
    JobsModule,
    BackupsModule,
    RestorePointsModule,
    RestoresModule,
    ReplicationModule,
    WebhooksModule,
    UsageModule,
    EventsModule,
  ],
})
export class ControlModule {}
