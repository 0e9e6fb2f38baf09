import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { PoolId, SiteId, TenantId } from '../../kernel/ids.ts';
import type { Capabilities } from './found-pool.ts';

export type PoolState = 'PENDING' | 'CONNECTED' | 'UNREACHABLE' | 'REJECTED';

@Entity({ schema: 'app', name: 'pool' })
export class PoolRow {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: TenantId;

  @PrimaryColumn('uuid')
  id!: PoolId;

  @Column('uuid', { name: 'site_id' })
  siteId!: SiteId;

  @Column('text')
  name!: string;

  @Column('text')
  url!: string;

  @Column('text')
  username!: string;

  /** The pool's own id: a pool has one secret, and who resolves a pool knows what it is bound to. */
  @Column('uuid', { name: 'password_id' })
  passwordId!: string;

  @Column('text', { default: 'PENDING' })
  state!: PoolState;

  @Column('text', { name: 'state_code', nullable: true })
  stateCode!: string | null;

  @Column('text', { name: 'state_detail', nullable: true })
  stateDetail!: string | null;

  @Column('text', { name: 'xen_uuid', nullable: true })
  xenUuid!: string | null;

  @Column('text', { name: 'xen_version', nullable: true })
  xenVersion!: string | null;

  /** SHA-256 (lower-case hex) by the host's address: what may answer as this pool. */
  @Column('jsonb', { name: 'pinned_certificates', default: {} })
  pinnedCertificates!: Record<string, string>;

  /** Empty before the first inventory. */
  @Column('jsonb', { default: {} })
  capabilities!: Partial<Capabilities>;

  @Column('timestamptz', { name: 'inventory_at', nullable: true })
  inventoryAt!: Date | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;

  @Column('integer', { default: 1 })
  version!: number;
}
