import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { TenantId, WebhookEndpointId } from '../../kernel/ids.ts';

export type DeliveryState = 'PENDING' | 'DELIVERED' | 'FAILED';

@Entity({ schema: 'app', name: 'webhook_delivery' })
export class WebhookDeliveryRow {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: TenantId;

  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'endpoint_id' })
  endpointId!: WebhookEndpointId;

  @Column('uuid', { name: 'event_tenant_id' })
  eventTenantId!: TenantId;

  @Column('uuid', { name: 'event_id' })
  eventId!: string;

  @Column('text', { name: 'event_type' })
  eventType!: string;

  @Column('text')
  body!: string;

  @Column('text')
  state!: DeliveryState;

  @Column('integer')
  attempts!: number;

  @Column('timestamptz', { name: 'next_attempt_at' })
  nextAttemptAt!: Date;

  @Column('integer', { name: 'last_status', nullable: true })
  lastStatus!: number | null;

  @Column('text', { name: 'last_error', nullable: true })
  lastError!: string | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'delivered_at', nullable: true })
  deliveredAt!: Date | null;
}
