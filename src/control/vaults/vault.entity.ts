import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { StorageGrantId, StorageTargetId, TenantId, VaultId } from '../../kernel/ids.ts';

export type VaultState = 'CREATING' | 'READY' | 'UNAVAILABLE';

@Entity({ schema: 'app', name: 'vault' })
export class VaultRow {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: TenantId;

  @PrimaryColumn('uuid')
  id!: VaultId;

  @Column('text')
  name!: string;

  @Column('uuid', { name: 'storage_target_id', nullable: true })
  storageTargetId!: StorageTargetId | null;

  @Column('uuid', { name: 'storage_grant_id', nullable: true })
  storageGrantId!: StorageGrantId | null;

  @Column('text', { default: 'CREATING' })
  state!: VaultState;

  @Column('text', { name: 'state_code', nullable: true })
  stateCode!: string | null;

  @Column('text', { name: 'state_detail', nullable: true })
  stateDetail!: string | null;

  @Column('bigint', { name: 'stored_bytes', default: 0 })
  storedBytes!: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;

  @Column('integer', { default: 1 })
  version!: number;
}
