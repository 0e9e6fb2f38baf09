import { Module } from '@nestjs/common';
import { JobsModule } from '../jobs/jobs.module.ts';
import { BackupVmService } from './backup-vm.service.ts';
import { BackupController } from './backup.controller.ts';
import { BackupResolver } from './backup.resolver.ts';

@Module({ imports: [JobsModule], controllers: [BackupController], providers: [BackupVmService, BackupResolver] })
export class BackupsModule {}
