import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { JobId, TenantId } from '../../kernel/ids.ts';

/** A row of its own, so that a busy job's row stays quiet. Bytes and bytes per second. */
@Entity({ schema: 'app', name: 'job_progress' })
export class JobProgressRow {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: TenantId;

  @PrimaryColumn('uuid', { name: 'job_id' })
  jobId!: JobId;

  @Column('text')
  phase!: string;

  @Column('bigint', { name: 'bytes_done' })
  bytesDone!: string;

  @Column('bigint', { name: 'bytes_total' })
  bytesTotal!: string;

  @Column('bigint', { name: 'bytes_per_second' })
  bytesPerSecond!: string;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
