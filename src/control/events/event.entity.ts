import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { NodeType } from '../../kernel/global-id.ts';
import type { TenantId } from '../../kernel/ids.ts';
import type { JsonObject } from '../../platform/mutations/json.ts';

@Entity({ schema: 'app', name: 'event' })
export class EventRow {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: TenantId;

  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  type!: string;

  @Column('text', { name: 'subject_type' })
  subjectType!: NodeType;

  @Column('uuid', { name: 'subject_id' })
  subjectId!: string;

  @Column('jsonb')
  data!: JsonObject;

  @Column('timestamptz', { name: 'occurred_at' })
  occurredAt!: Date;

  /** Both given by the relay, once the event is committed. */
  @Column('bigint', { nullable: true })
  sequence!: string | null;

  @Column('bigint', { nullable: true })
  position!: string | null;
}
