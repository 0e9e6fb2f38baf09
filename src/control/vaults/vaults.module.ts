import { Module } from '@nestjs/common';
import { JobsModule } from '../jobs/jobs.module.ts';
import { StorageGrantsModule } from '../storage-grants/storage-grants.module.ts';
import { StorageTargetsModule } from '../storage-targets/storage-targets.module.ts';
import { CreateVaultService } from './create-vault.service.ts';
import { RetryVaultService } from './retry-vault.service.ts';
import { VaultController } from './vault.controller.ts';
import { VaultResolver } from './vault.resolver.ts';
import { VaultService } from './vault.service.ts';

@Module({
  imports: [JobsModule, StorageTargetsModule, StorageGrantsModule],
  controllers: [VaultController],
  providers: [VaultService, CreateVaultService, RetryVaultService, VaultResolver],
  exports: [VaultService],
})
export class VaultsModule {}
