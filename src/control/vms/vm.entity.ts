import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { PoolId, PoolVmId, TenantId, VmId } from '../../kernel/ids.ts';

export interface VmDisk {
  readonly vdiUuid: string;
  readonly name: string;
  readonly position: string;
  readonly sizeBytes: number;
}

@Entity({ schema: 'app', name: 'vm' })
export class VmRow {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: TenantId;

  @PrimaryColumn('uuid')
  id!: VmId;

  @Column('uuid', { name: 'pool_owner_id' })
  poolOwnerId!: TenantId;

  @Column('uuid', { name: 'pool_id' })
  poolId!: PoolId;

  @Column('uuid', { name: 'pool_vm_id' })
  poolVmId!: PoolVmId;

  @Column('text')
  name!: string;

  @Column('text', { name: 'power_state' })
  powerState!: string;

  @Column('bigint', { name: 'memory_bytes' })
  memoryBytes!: string;

  @Column('integer')
  vcpus!: number;

  @Column('text', { array: true })
  tags!: string[];

  @Column('jsonb')
  disks!: VmDisk[];

  @Column('timestamptz', { name: 'gone_at', nullable: true })
  goneAt!: Date | null;

  /** Set when another tenant got the guest: the restore points stay here, the chain ends. */
  @Column('timestamptz', { name: 'released_at', nullable: true })
  releasedAt!: Date | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;

  @Column('integer', { default: 1 })
  version!: number;
}
