import { Module } from '@nestjs/common';
import { JobsModule } from '../jobs/jobs.module.ts';
import { RestoreVmService } from './restore-vm.service.ts';
import { RestoreController } from './restore.controller.ts';
import { RestoreResolver } from './restore.resolver.ts';

@Module({ imports: [JobsModule], controllers: [RestoreController], providers: [RestoreVmService, RestoreResolver] })
export class RestoresModule {}
