import { Inject, Injectable } from '@nestjs/common';
import { PrepareBackupService } from '../control/backups/prepare-backup.service.ts';
import { RecordRestorePointService } from '../control/restore-points/record-restore-point.service.ts';
import {
  siteQueue,
  type BackupControlActivities,
  type PrepareBackupInput,
  type PreparedBackup,
  type RecordRestorePointInput,
} from '../../workflows/contract/index.ts';
import { TASK_QUEUE_PREFIX } from './mover.ts';

@Injectable()
export class BackupRowActivities implements BackupControlActivities {
  constructor(
    private readonly preparing: PrepareBackupService,
    private readonly recording: RecordRestorePointService,
    @Inject(TASK_QUEUE_PREFIX) private readonly prefix: string,
  ) {}

  async prepareBackup(input: PrepareBackupInput): Promise<PreparedBackup> {
    const { siteId, baseRestorePointId } = await this.preparing.prepareBackup(input);
    return { siteQueue: siteQueue(this.prefix, siteId), baseRestorePointId };
  }

  async recordRestorePoint(input: RecordRestorePointInput): Promise<void> {
    await this.recording.recordRestorePoint(input);
  }
}
