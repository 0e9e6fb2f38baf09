import { Module } from '@nestjs/common';
import { PoolInventoryService } from './pool-inventory.service.ts';
import { PoolPasswords } from './pool-passwords.ts';

/** The worker's side of pools: what activities ask and report. */
@Module({ providers: [PoolInventoryService, PoolPasswords], exports: [PoolInventoryService, PoolPasswords] })
export class PoolInventoryModule {}
