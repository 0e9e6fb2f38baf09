import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { StorageGrantId, StorageTargetId, TenantId } from '../../kernel/ids.ts';

@Entity({ schema: 'app', name: 'storage_grant' })
export class StorageGrantRow {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: TenantId;

  @PrimaryColumn('uuid')
  id!: StorageGrantId;

  @Column('uuid', { name: 'storage_owner_id' })
  storageOwnerId!: TenantId;

  @Column('uuid', { name: 'storage_target_id' })
  storageTargetId!: StorageTargetId;

  @Column('text')
  name!: string;

  @Column('bigint', { name: 'quota_bytes', nullable: true })
  quotaBytes!: string | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;

  @Column('integer', { default: 1 })
  version!: number;
}
