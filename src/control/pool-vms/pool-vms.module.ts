import { Module } from '@nestjs/common';
import { PoolsModule } from '../pools/pools.module.ts';
import { PoolVmController } from './pool-vm.controller.ts';
import { PoolVmResolver } from './pool-vm.resolver.ts';
import { PoolVmService } from './pool-vm.service.ts';

@Module({
  imports: [PoolsModule],
  controllers: [PoolVmController],
  providers: [PoolVmService, PoolVmResolver],
  exports: [PoolVmService],
})
export class PoolVmsModule {}
