import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { StorageTargetId, TenantId } from '../../kernel/ids.ts';

@Entity({ schema: 'app', name: 'storage_target' })
export class StorageTargetRow {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: TenantId;

  @PrimaryColumn('uuid')
  id!: StorageTargetId;

  @Column('text')
  name!: string;

  @Column('text')
  kind!: 'DIRECTORY';

  @Column('text')
  path!: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;

  @Column('integer', { default: 1 })
  version!: number;
}
