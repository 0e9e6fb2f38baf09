import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { TenantId } from '../../kernel/ids.ts';

export type TenantKind = 'PROVIDER' | 'PARTNER' | 'CUSTOMER';
export type TenantState = 'ACTIVE' | 'SUSPENDED';
export type BillableReason = 'ACTIVE' | 'TRIAL' | 'SUSPENDED' | 'LEAVING' | 'INTERNAL';

@Entity({ schema: 'app', name: 'tenant' })
export class TenantRow {
  @PrimaryColumn('uuid')
  id!: TenantId;

  /** The same as `id`: generated, so that a tenant stands behind the same walls as its rows. */
  @Column({ type: 'uuid', name: 'tenant_id', insert: false, update: false })
  tenantId!: TenantId;

  @Column('uuid', { name: 'parent_id', nullable: true })
  parentId!: TenantId | null;

  @Column('text')
  kind!: TenantKind;

  @Column('text')
  name!: string;

  @Column('text')
  state!: TenantState;

  @Column('boolean')
  billable!: boolean;

  @Column('text', { name: 'billable_reason' })
  billableReason!: BillableReason;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;

  @Column('integer')
  version!: number;
}
