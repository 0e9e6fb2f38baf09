import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { PoolId, TenantId } from '../../kernel/ids.ts';

@Entity({ schema: 'app', name: 'pool_network' })
export class PoolNetworkRow {
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
  bridge!: string;

  @Column('text', { array: true })
  purposes!: string[];

  @Column('timestamptz', { name: 'gone_at', nullable: true })
  goneAt!: Date | null;
}
