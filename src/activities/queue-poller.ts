import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { WorkerListsService } from '../control/reconciler/worker-lists.service.ts';
import { siblingModule } from '../kernel/module-url.ts';
import { bindActivities } from '../platform/temporal/bind-activities.ts';
import { WorkerHost } from '../platform/temporal/worker-host.ts';
import { CONTROL_ACTIVITIES, controlQueue, SITE_ACTIVITIES, siteQueue } from '../../workflows/contract/index.ts';
import { BackupActivities } from './backup.activities.ts';
import { BackupRowActivities } from './backup-control.activities.ts';
import { JobGuard } from './job-guard.ts';
import { JobRowActivities } from './job.activities.ts';
import { POLLED_QUEUES, TASK_QUEUE_PREFIX, type PolledQueues } from './mover.ts';
import { PoolActivities } from './pool.activities.ts';
import { PoolRowActivities } from './pool-control.activities.ts';
import { RecoveryRowActivities } from './recovery.activities.ts';
import { RestoreActivities } from './restore.activities.ts';
import { RestoreRowActivities } from './restore-control.activities.ts';
import { VaultMakingActivities } from './vault.activities.ts';

/** Injected as one, so that the poller's constructor stays short. */
@Injectable()
export class ControlActivityClasses {
  readonly all: readonly object[];

  constructor(
    readonly guard: JobGuard,
    jobs: JobRowActivities,
    backups: BackupRowActivities,
    restores: RestoreRowActivities,
    pools: PoolRowActivities,
  ) {
    this.all = [jobs, backups, restores, pools];
  }
}

@Injectable()
export class MoverActivityClasses {
  readonly site: readonly object[];
  readonly control: readonly object[];

  constructor(
    backups: BackupActivities,
    restores: RestoreActivities,
    pools: PoolActivities,
    vaults: VaultMakingActivities,
    recovery: RecoveryRowActivities,
  ) {
    this.site = [backups, restores, pools];
    this.control = [vaults, recovery];
  }
}

@Injectable()
export class QueuesToPoll {
  constructor(
    @Inject(TASK_QUEUE_PREFIX) readonly prefix: string,
    @Inject(POLLED_QUEUES) readonly polled: PolledQueues,
  ) {}
}

const LOOK_FOR_SITES_EVERY_MS = 1_000;
const log = new Logger('QueuePoller');

/** Polls the queues that are this process's: the control queue, and those of its mover's sites, new ones as they come. */
@Injectable()
export class QueuePoller implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #stop = new AbortController();
  #following: Promise<void> = Promise.resolve();

  constructor(
    private readonly host: WorkerHost,
    private readonly lists: WorkerListsService,
    private readonly control: ControlActivityClasses,
    private readonly mover: MoverActivityClasses,
    private readonly queues: QueuesToPoll,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.queues.polled.control) {
      await this.#pollControl();
    }
    await this.#pollSites();
    this.#following = this.#follow();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await delay(LOOK_FOR_SITES_EVERY_MS, undefined, { signal }).catch(() => {
        // Asked to stop; the loop sees it.
      });
      if (!signal.aborted) {
        await this.#pollSites().catch((error: unknown) => log.warn({ err: error }));
      }
    }
  }

  async #pollControl(): Promise<void> {
    await this.host.poll({
      taskQueue: controlQueue(this.queues.prefix),
      activities: this.control.guard.around(
        bindActivities([...this.control.all, ...this.mover.control], CONTROL_ACTIVITIES),
      ),
      workflows: { workflowsPath: fileURLToPath(siblingModule(import.meta.url, '../../workflows/index')) },
    });
  }

  async #pollSites(): Promise<void> {
    const { sites } = this.queues.polled;
    if (sites.length === 0) {
      return;
    }
    const served = await this.lists.sitesToServe();
    for (const siteId of served.filter((site) => sites === 'all' || sites.includes(site))) {
      const taskQueue = siteQueue(this.queues.prefix, siteId);
      const activities = this.control.guard.around(bindActivities(this.mover.site, SITE_ACTIVITIES));
      await this.host.poll({ taskQueue, activities });
    }
  }
}
