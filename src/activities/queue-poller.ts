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
import { TASK_QUEUE_PREFIX } from './mover.ts';
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

const LOOK_FOR_SITES_EVERY_MS = 1_000;
const log = new Logger('QueuePoller');

/** Polls the control queue, and the queue of every site that this process's mover serves, new ones as they come. */
@Injectable()
export class QueuePoller implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #stop = new AbortController();
  #following: Promise<void> = Promise.resolve();

  constructor(
    private readonly host: WorkerHost,
    private readonly lists: WorkerListsService,
    private readonly control: ControlActivityClasses,
    private readonly mover: MoverActivityClasses,
    @Inject(TASK_QUEUE_PREFIX) private readonly prefix: string,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.host.poll({
      taskQueue: controlQueue(this.prefix),
      activities: this.control.guard.around(
        bindActivities([...this.control.all, ...this.mover.control], CONTROL_ACTIVITIES),
      ),
      workflows: { workflowsPath: fileURLToPath(siblingModule(import.meta.url, '../../workflows/index')) },
    });
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

  async #pollSites(): Promise<void> {
    for (const siteId of await this.lists.sitesToServe()) {
      const taskQueue = siteQueue(this.prefix, siteId);
      const activities = this.control.guard.around(bindActivities(this.mover.site, SITE_ACTIVITIES));
      await this.host.poll({ taskQueue, activities });
    }
  }
}
