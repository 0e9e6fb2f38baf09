import { Module } from '@nestjs/common';
import { JobsModule } from '../jobs/jobs.module.ts';
import { ReplicateVmService } from './replicate-vm.service.ts';
import { ReplicationPlanService } from './replication-plan.service.ts';
import { ReplicationController } from './replication.controller.ts';
import { ReplicationResolver } from './replication.resolver.ts';

@Module({
  imports: [JobsModule],
  controllers: [ReplicationController],
  providers: [ReplicationPlanService, ReplicateVmService, ReplicationResolver],
  exports: [ReplicationPlanService],
})
export class ReplicationModule {}
