import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { TenantId, TokenId, WebhookEndpointId } from '../../kernel/ids.ts';

export type EndpointState = 'ENABLED' | 'DISABLED' | 'GONE';
export type EndpointReach = 'SELF' | 'SUBTREE';

@Entity({ schema: 'app', name: 'webhook_endpoint' })
export class WebhookEndpointRow {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: TenantId;

  @PrimaryColumn('uuid')
  id!: WebhookEndpointId;

  @Column('text')
  name!: string;

  @Column('text')
  url!: string;

  @Column('text', { name: 'event_types', array: true })
  eventTypes!: string[];

  @Column('text')
  reach!: EndpointReach;

  @Column('text')
  state!: EndpointState;

  @Column('uuid', { name: 'secret_id' })
  secretId!: string;

  @Column('uuid', { name: 'previous_secret_id', nullable: true })
  previousSecretId!: string | null;

  @Column('timestamptz', { name: 'previous_secret_expires_at', nullable: true })
  previousSecretExpiresAt!: Date | null;

  /** The credential that made it or last said where it sends, and those it goes back to: it stops with any of them. */
  @Column('uuid', { name: 'made_through', array: true, default: [] })
  madeThrough!: TokenId[];

  @Column('timestamptz', { name: 'failing_since', nullable: true })
  failingSince!: Date | null;

  @Column('timestamptz', { name: 'alarmed_at', nullable: true })
  alarmedAt!: Date | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;

  @Column('integer', { default: 1 })
  version!: number;
}
