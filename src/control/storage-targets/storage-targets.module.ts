import { Module } from '@nestjs/common';
import { StorageTargetController } from './storage-target.controller.ts';
import { StorageTargetResolver } from './storage-target.resolver.ts';
import { StorageTargetService } from './storage-target.service.ts';

@Module({
  controllers: [StorageTargetController],
  providers: [StorageTargetService, StorageTargetResolver],
  exports: [StorageTargetService],
})
export class StorageTargetsModule {}
