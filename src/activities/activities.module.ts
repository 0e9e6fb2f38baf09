import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { AccessService } from '../control/access/access.service.ts';
import { PrepareBackupService } from '../control/backups/prepare-backup.service.ts';
import { JobRunModule } from '../control/jobs/job-run.module.ts';
import { PoolInventoryModule } from '../control/pools/pool-inventory.module.ts';
import { WorkerListsModule } from '../control/reconciler/worker-lists.module.ts';
import { PrepareReplicationService } from '../control/replication/prepare-replication.service.ts';
import { RecordReplicaService } from '../control/replication/record-replica.service.ts';
import { RecordRestorePointService } from '../control/restore-points/record-restore-point.service.ts';
import { PrepareRestoreService } from '../control/restores/prepare-restore.service.ts';
import { RecordRestoreService } from '../control/restores/record-restore.service.ts';
import { UsageEventWriter } from '../control/usage/usage-event-writer.service.ts';
import { VaultLeasesService } from '../control/vault-leases/vault-leases.service.ts';
import { VaultWorkModule } from '../control/vaults/vault-work.module.ts';
import { BackupActivities } from './backup.activities.ts';
import { BackupRowActivities } from './backup-control.activities.ts';
import { JobGuard } from './job-guard.ts';
import { JobRowActivities } from './job.activities.ts';
import {
  KEY_RING,
  MOVER,
  POLLED_QUEUES,
  TASK_QUEUE_PREFIX,
  type KeyRing,
  type MoverPort,
  type PolledQueues,
} from './mover.ts';
import { PoolActivities } from './pool.activities.ts';
import { PoolRowActivities } from './pool-control.activities.ts';
import { ControlActivityClasses, MoverActivityClasses, QueuePoller, QueuesToPoll } from './queue-poller.ts';
import { RecoveryRowActivities } from './recovery.activities.ts';
import { RestoreActivities } from './restore.activities.ts';
import { RestoreRowActivities } from './restore-control.activities.ts';
import { VaultCalls } from './vault-calls.ts';
import { VaultMakingActivities } from './vault.activities.ts';

export interface ActivitiesOptions {
  readonly mover: MoverPort;
  readonly keyRing: KeyRing;
  readonly taskQueuePrefix: string;
  /** Everything unless given. */
  readonly queues?: PolledQueues;
}

const EVERYTHING: PolledQueues = { control: true, sites: 'all' };

const CONTROL: Type[] = [
  AccessService,
  PrepareBackupService,
  PrepareRestoreService,
  PrepareReplicationService,
  RecordRestorePointService,
  RecordRestoreService,
  RecordReplicaService,
  UsageEventWriter,
  VaultLeasesService,
];

const ACTIVITIES: Type[] = [
  VaultCalls,
  JobGuard,
  JobRowActivities,
  BackupRowActivities,
  BackupActivities,
  RestoreRowActivities,
  RestoreActivities,
  PoolRowActivities,
  PoolActivities,
  VaultMakingActivities,
  RecoveryRowActivities,
  ControlActivityClasses,
  MoverActivityClasses,
  QueuesToPoll,
  QueuePoller,
];

/** Everything a worker process does because a workflow said so. */
@Module({})
export class ActivitiesModule {
  static forRoot({ mover, keyRing, taskQueuePrefix, queues = EVERYTHING }: ActivitiesOptions): DynamicModule {
    return {
      module: ActivitiesModule,
      imports: [JobRunModule, PoolInventoryModule, VaultWorkModule, WorkerListsModule],
      providers: [
        { provide: MOVER, useValue: mover },
        { provide: KEY_RING, useValue: keyRing },
        { provide: TASK_QUEUE_PREFIX, useValue: taskQueuePrefix },
        { provide: POLLED_QUEUES, useValue: queues },
        ...CONTROL,
        ...ACTIVITIES,
      ],
    };
  }
}
