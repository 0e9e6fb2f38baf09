import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { PoolId, PoolVmId, TenantId } from '../../kernel/ids.ts';

export interface PoolVmDisk {
  readonly vdiUuid: string;
  readonly srUuid: string;
  readonly name: string;
  readonly position: string;
  readonly sizeBytes: number;
  readonly tracksChanges: boolean;
}

export interface PoolVmInterface {
  readonly device: string;
  readonly mac: string;
  readonly networkUuid: string;
}

@Entity({ schema: 'app', name: 'pool_vm' })
export class PoolVmRow {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: TenantId;

  @PrimaryColumn('uuid')
  id!: PoolVmId;

  @Column('uuid', { name: 'pool_id' })
  poolId!: PoolId;

  @Column('text', { name: 'xen_uuid' })
  xenUuid!: string;

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
  disks!: PoolVmDisk[];

  @Column('jsonb')
  interfaces!: PoolVmInterface[];

  @Column('timestamptz', { name: 'gone_at', nullable: true })
  goneAt!: Date | null;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;
}
