import { Module } from '@nestjs/common';
import { PoolVmsModule } from '../pool-vms/pool-vms.module.ts';
import { VmController } from './vm.controller.ts';
import { VmResolver } from './vm.resolver.ts';
import { VmService } from './vm.service.ts';

@Module({
  imports: [PoolVmsModule],
  controllers: [VmController],
  providers: [VmService, VmResolver],
  exports: [VmService],
})
export class VmsModule {}
