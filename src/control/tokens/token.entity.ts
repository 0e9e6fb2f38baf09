import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { TenantId, TokenId } from '../../kernel/ids.ts';
import type { Reach } from '../../platform/auth/actor.ts';

@Entity({ schema: 'app', name: 'api_token' })
export class ApiTokenRow {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: TenantId;

  @PrimaryColumn('uuid')
  id!: TokenId;

  @Column('text')
  name!: string;

  @Column('text', { array: true })
  scopes!: string[];

  @Column('text')
  reach!: Reach;

  /** CIDR networks; empty allows every address. */
  @Column('cidr', { name: 'allowed_addresses', array: true })
  allowedAddresses!: string[];

  @Column('bytea', { name: 'secret_hash' })
  secretHash!: Buffer;

  @Column('bytea', { name: 'previous_secret_hash', nullable: true })
  previousSecretHash!: Buffer | null;

  @Column('timestamptz', { name: 'previous_secret_expires_at', nullable: true })
  previousSecretExpiresAt!: Date | null;

  @Column('uuid', { name: 'created_by', nullable: true })
  createdBy!: TokenId | null;

  /** What it dies with: the token that made it, and all those that one goes back to. */
  @Column('uuid', { name: 'made_through', array: true, default: [] })
  madeThrough!: TokenId[];

  /** The same of the secret, where it came by rotation. */
  @Column('uuid', { name: 'secret_through', array: true, default: [] })
  secretThrough!: TokenId[];

  @Column('uuid', { name: 'previous_secret_through', array: true, default: [] })
  previousSecretThrough!: TokenId[];

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;

  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt!: Date | null;

  @Column('integer', { default: 1 })
  version!: number;
}
