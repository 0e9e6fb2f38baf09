import { Module } from '@nestjs/common';
import { JobsModule } from '../jobs/jobs.module.ts';
import { SitesModule } from '../sites/sites.module.ts';
import { PoolController } from './pool.controller.ts';
import { PoolResolver } from './pool.resolver.ts';
import { PoolService } from './pool.service.ts';
import { PoolJobsController } from './pool-jobs.controller.ts';
import { PoolJobsResolver } from './pool-jobs.resolver.ts';
import { PoolJobsService } from './pool-jobs.service.ts';
import { PoolPartsController } from './pool-parts.controller.ts';
import { PoolPartsResolver } from './pool-parts.resolver.ts';
import { PoolPartsService } from './pool-parts.service.ts';
import { PoolPasswords } from './pool-passwords.ts';

@Module({
  imports: [SitesModule, JobsModule],
  controllers: [PoolController, PoolJobsController, PoolPartsController],
  providers: [
    PoolService,
    PoolJobsService,
    PoolPartsService,
    PoolPasswords,
    PoolResolver,
    PoolJobsResolver,
    PoolPartsResolver,
  ],
  exports: [PoolService],
})
export class PoolsModule {}
