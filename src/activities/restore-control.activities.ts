import { Inject, Injectable } from '@nestjs/common';
import { PrepareReplicationService } from '../control/replication/prepare-replication.service.ts';
import { RecordReplicaService } from '../control/replication/record-replica.service.ts';
import { type LocatedRestore, PrepareRestoreService } from '../control/restores/prepare-restore.service.ts';
import { RecordRestoreService } from '../control/restores/record-restore.service.ts';
import {
  siteQueue,
  type PreparedRestore,
  type PrepareReplicationInput,
  type PrepareRestoreInput,
  type RecordReplicaInput,
  type RecordRestoreInput,
  type RestoreControlActivities,
} from '../../workflows/contract/index.ts';
import { TASK_QUEUE_PREFIX } from './mover.ts';

@Injectable()
export class RestoreRowActivities implements RestoreControlActivities {
  constructor(
    private readonly restores: PrepareRestoreService,
    private readonly replications: PrepareReplicationService,
    private readonly recordingRestores: RecordRestoreService,
    private readonly recordingReplicas: RecordReplicaService,
    @Inject(TASK_QUEUE_PREFIX) private readonly prefix: string,
  ) {}

  async prepareRestore(input: PrepareRestoreInput): Promise<PreparedRestore> {
    return this.#queued(await this.restores.prepareRestore(input));
  }

  async prepareReplication(input: PrepareReplicationInput): Promise<PreparedRestore> {
    return this.#queued(await this.replications.prepareReplication(input));
  }

  async recordRestore(input: RecordRestoreInput): Promise<void> {
    await this.recordingRestores.recordRestore(input);
  }

  async recordReplica(input: RecordReplicaInput): Promise<void> {
    await this.recordingReplicas.recordReplica(input);
  }

  #queued({ siteId, ...restore }: LocatedRestore): PreparedRestore {
    return { siteQueue: siteQueue(this.prefix, siteId), ...restore };
  }
}
