import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { TenantId } from '../../kernel/ids.ts';
import type { Meter, MeterUnit } from './meters.ts';

@Entity({ schema: 'app', name: 'usage_record' })
export class UsageRecordRow {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: TenantId;

  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  meter!: Meter;

  @Column('text')
  unit!: MeterUnit;

  @Column('timestamptz', { name: 'window_start' })
  windowStart!: Date;

  @Column('timestamptz', { name: 'window_end' })
  windowEnd!: Date;

  /** First moment of the month that it belongs to: the window's own, or a later one where that was final already. */
  @Column('timestamptz', { name: 'period_start' })
  periodStart!: Date;

  @Column('integer')
  revision!: number;

  @Column('bigint')
  quantity!: string;

  @Column('bigint')
  total!: string;

  @Column('text')
  reason!: 'WINDOW_CLOSED' | 'CORRECTION';

  @Column('boolean')
  billable!: boolean;

  @Column('text', { name: 'billable_reason' })
  billableReason!: string;

  @Column('text', { name: 'key_id' })
  keyId!: string;

  @Column('bytea')
  signature!: Buffer;

  @Column('timestamptz', { name: 'recorded_at', default: () => 'now()' })
  recordedAt!: Date;
}
