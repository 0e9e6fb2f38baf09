import { Args, Mutation, Resolver } from '@nestjs/graphql';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { payload, type Payload } from '../../platform/graphql/payload.ts';
import { inputPipe } from '../../platform/wire/input-pipe.ts';
import { type JobView, toJobView } from '../jobs/job.view.ts';
import { BackupVmService } from './backup-vm.service.ts';
import { BACKUP_USER_ERRORS } from './backup.errors.ts';
import * as backup from './backup.input.ts';

@Resolver()
export class BackupResolver {
  constructor(private readonly backups: BackupVmService) {}

  @Mutation('backupVm')
  @RequiresPermission('backups:write')
  async backupVm(
    @Args('input', inputPipe(backup.backupVmInput)) input: backup.BackupVmInput,
  ): Promise<Payload<'job', JobView>> {
    return await payload('job', BACKUP_USER_ERRORS, this.backups.backupVm(input).then(toJobView));
  }
}
