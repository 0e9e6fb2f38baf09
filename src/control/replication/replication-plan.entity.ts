import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { PoolGrantId, PoolId, ReplicationPlanId, TenantId, VaultId, VmId } from '../../kernel/ids.ts';
import type { NetworkRule } from '../../../workflows/contract/index.ts';

@Entity({ schema: 'app', name: 'replication_plan' })
export class ReplicationPlanRow {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: TenantId;

  @PrimaryColumn('uuid')
  id!: ReplicationPlanId;

  @Column('text')
  name!: string;

  @Column('uuid', { name: 'vm_id' })
  vmId!: VmId;

  @Column('uuid', { name: 'vault_id' })
  vaultId!: VaultId;

  @Column('uuid', { name: 'pool_owner_id' })
  poolOwnerId!: TenantId;

  @Column('uuid', { name: 'pool_id' })
  poolId!: PoolId;

  @Column('uuid', { name: 'pool_grant_id', nullable: true })
  poolGrantId!: PoolGrantId | null;

  @Column('uuid', { name: 'sr_id' })
  srId!: string;

  @Column('jsonb', { name: 'network_map', default: [] })
  networkMap!: NetworkRule[];

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;

  /** What ran under it stays; nothing new runs. */
  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt!: Date | null;

  @Column('integer', { default: 1 })
  version!: number;
}
