import { Module } from '@nestjs/common';
import { StorageTargetsModule } from '../storage-targets/storage-targets.module.ts';
import { StorageGrantController } from './storage-grant.controller.ts';
import { StorageGrantResolver } from './storage-grant.resolver.ts';
import { StorageGrantService } from './storage-grant.service.ts';

@Module({
  imports: [StorageTargetsModule],
  controllers: [StorageGrantController],
  providers: [StorageGrantService, StorageGrantResolver],
  exports: [StorageGrantService],
})
export class StorageGrantsModule {}
