import { Args, Mutation, Resolver } from '@nestjs/graphql';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { payload, type Payload } from '../../platform/graphql/payload.ts';
import { inputPipe } from '../../platform/wire/input-pipe.ts';
import { type JobView, toJobView } from '../jobs/job.view.ts';
import { RestoreVmService } from './restore-vm.service.ts';
import { RESTORE_USER_ERRORS } from './restore.errors.ts';
import * as restore from './restore.input.ts';

@Resolver()
export class RestoreResolver {
  constructor(private readonly restores: RestoreVmService) {}

  @Mutation('restoreVm')
  @RequiresPermission('restores:write')
  async restoreVm(
    @Args('input', inputPipe(restore.restoreVmInput)) input: restore.RestoreVmInput,
  ): Promise<Payload<'job', JobView>> {
    return await payload('job', RESTORE_USER_ERRORS, this.restores.restoreVm(input).then(toJobView));
  }
}
