import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { PoolGrantId, PoolId, TenantId } from '../../kernel/ids.ts';

@Entity({ schema: 'app', name: 'pool_grant' })
export class PoolGrantRow {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: TenantId;

  @PrimaryColumn('uuid')
  id!: PoolGrantId;

  @Column('uuid', { name: 'pool_owner_id' })
  poolOwnerId!: TenantId;

  @Column('uuid', { name: 'pool_id' })
  poolId!: PoolId;

  @Column('text')
  name!: string;

  @Column('uuid', { name: 'sr_ids', array: true })
  srIds!: string[];

  @Column('uuid', { name: 'network_ids', array: true })
  networkIds!: string[];

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;

  @Column('integer', { default: 1 })
  version!: number;
}
