import { Module } from '@nestjs/common';
import { PoolsModule } from '../pools/pools.module.ts';
import { PlacementController } from './placement.controller.ts';
import { PlacementResolver } from './placement.resolver.ts';
import { PlacementService } from './placement.service.ts';
import { PoolGrantController } from './pool-grant.controller.ts';
import { PoolGrantResolver } from './pool-grant.resolver.ts';
import { PoolGrantService } from './pool-grant.service.ts';

@Module({
  imports: [PoolsModule],
  controllers: [PoolGrantController, PlacementController],
  providers: [PoolGrantService, PoolGrantResolver, PlacementService, PlacementResolver],
  exports: [PoolGrantService],
})
export class PoolGrantsModule {}
