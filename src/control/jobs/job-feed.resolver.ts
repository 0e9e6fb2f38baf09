import { Args, Resolver, Subscription } from '@nestjs/graphql';
import type { NodeKey } from '../../kernel/global-id.ts';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { ListenerOf } from '../../platform/feed/live-graphql.ts';
import { type Listener, Live, type Look } from '../../platform/feed/live.ts';
import { idPipe } from '../../platform/wire/input-pipe.ts';
import { isFinished } from './job-state.ts';
import { JobService } from './job.service.ts';
import { type JobView, toJobView } from './job.view.ts';

interface JobMessage {
  readonly jobProgress: JobView;
}

@Resolver()
export class JobFeedResolver {
  constructor(
    private readonly jobs: JobService,
    private readonly live: Live,
  ) {}

  @Subscription('jobProgress')
  @RequiresPermission('jobs:read')
  async jobProgress(
    @Args('jobId', idPipe('Job')) key: NodeKey,
    @ListenerOf() listener: Listener,
  ): Promise<AsyncGenerator<JobMessage>> {
    await this.jobs.getJob(key);
    let seen = '';
    const look = async (): Promise<Look<JobMessage>> => {
      const jobProgress = toJobView(await this.jobs.getJob(key));
      const now = JSON.stringify(jobProgress);
      const items = now === seen ? [] : [{ jobProgress }];
      seen = now;
      return { items, next: isFinished(jobProgress.state) ? 'END' : 'WAIT' };
    };
    return this.live.follow(listener, 'jobs:read', look, new AbortController().signal);
  }
}
