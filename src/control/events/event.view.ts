import { z } from 'zod';
import { toGlobalId } from '../../kernel/global-id.ts';
import { bigIntView, defineView, idView } from '../../platform/wire/view.ts';
import type { NumberedEvent } from './cloud-event.ts';

export const eventView = defineView('Event', {
  id: idView('Event'),
  tenantId: idView('Tenant'),
  type: z.string(),
  subjectId: z.string(),
  sequence: bigIntView,
  occurredAt: z.date(),
  data: z.record(z.string(), z.unknown()),
});

export type EventView = z.infer<typeof eventView>;

export function toEventView(event: NumberedEvent): EventView {
  return {
    __typename: 'Event',
    id: toGlobalId('Event', event.tenantId, event.id),
    tenantId: toGlobalId('Tenant', event.tenantId, event.tenantId),
    type: event.type,
    subjectId: toGlobalId(event.subjectType, event.tenantId, event.subjectId),
    sequence: event.sequence,
    occurredAt: event.occurredAt,
    data: event.data,
  };
}

/** REST gives events as webhooks do. */
export const cloudEventView = z.object({
  specversion: z.literal('1.0'),
  id: idView('Event'),
  source: z.string(),
  type: z.string(),
  subject: z.string(),
  time: z.string(),
  datacontenttype: z.literal('application/json'),
  tenantid: idView('Tenant'),
  sequence: z.string(),
  data: z.record(z.string(), z.unknown()),
});

export const eventPageView = z.object({
  items: z.array(cloudEventView),
  next: z.string().describe('Send as `after` to go on.'),
});
