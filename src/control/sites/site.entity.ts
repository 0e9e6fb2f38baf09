import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { SiteId, TenantId } from '../../kernel/ids.ts';

@Entity({ schema: 'app', name: 'site' })
export class SiteRow {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: TenantId;

  @PrimaryColumn('uuid')
  id!: SiteId;

  @Column('text')
  name!: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;

  @Column('integer', { default: 1 })
  version!: number;
}
