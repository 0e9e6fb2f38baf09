import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { TenantId } from '../../kernel/ids.ts';
import type { Quantities } from './quantities.ts';

@Entity({ schema: 'app', name: 'usage_period' })
export class UsagePeriodRow {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: TenantId;

  @PrimaryColumn('uuid')
  id!: string;

  @Column('timestamptz', { name: 'period_start' })
  periodStart!: Date;

  @Column('timestamptz', { name: 'period_end' })
  periodEnd!: Date;

  @Column('integer')
  entries!: number;

  @Column('text')
  digest!: string;

  @Column('jsonb')
  quantities!: Quantities[];

  @Column('timestamptz', { name: 'finalized_at', default: () => 'now()' })
  finalizedAt!: Date;
}
