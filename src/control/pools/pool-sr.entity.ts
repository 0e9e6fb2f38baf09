import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { PoolId, TenantId } from '../../kernel/ids.ts';

@Entity({ schema: 'app', name: 'pool_sr' })
export class PoolSrRow {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: TenantId;

  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'pool_id' })
  poolId!: PoolId;

  @Column('text', { name: 'xen_uuid' })
  xenUuid!: string;

  @Column('text')
  name!: string;

  @Column('text')
  type!: string;

  @Column('boolean')
  shared!: boolean;

  @Column('bigint', { name: 'size_bytes' })
  sizeBytes!: string;

  @Column('bigint', { name: 'used_bytes' })
  usedBytes!: string;

  @Column('boolean', { name: 'tracks_changes' })
  tracksChanges!: boolean;

  @Column('timestamptz', { name: 'gone_at', nullable: true })
  goneAt!: Date | null;
}
