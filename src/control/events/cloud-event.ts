import { toGlobalId, type NodeType } from '../../kernel/global-id.ts';

/** An event as its row has it, once the relay has numbered it. */
export interface NumberedEvent {
  readonly tenantId: string;
  readonly id: string;
  readonly type: string;
  readonly subjectType: NodeType;
  readonly subjectId: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly occurredAt: Date;
  readonly sequence: string;
}

/** What clients get, whether it is pushed to them or pulled: CloudEvents 1.0, structured JSON. */
export interface CloudEvent {
  readonly specversion: '1.0';
  /** Global id of the event; also the `webhook-id`. */
  readonly id: string;
  /** Together with `id` unique over all installations that share a receiver. */
  readonly source: string;
  readonly type: string;
  /** Global id of the object that the event is about. */
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  /** Global id of the tenant whose event it is. */
  readonly tenantid: string;
  /** Counts the tenant's events without a hole, as decimal text. */
  readonly sequence: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export function toCloudEvent(event: NumberedEvent): CloudEvent {
  const tenant = toGlobalId('Tenant', event.tenantId, event.tenantId);
  return {
    specversion: '1.0',
    id: toGlobalId('Event', event.tenantId, event.id),
    source: `/v1/tenants/${tenant}`,
    type: event.type,
    subject: toGlobalId(event.subjectType, event.tenantId, event.subjectId),
    time: event.occurredAt.toISOString(),
    datacontenttype: 'application/json',
    tenantid: tenant,
    sequence: event.sequence,
    data: event.data,
  };
}
