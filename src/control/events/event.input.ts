import { z } from 'zod';
import { listArgs } from '../../platform/paging/page-args.ts';
import { globalId, optional } from '../../platform/wire/fields.ts';

/** Which events: of a tenant or also of those below it, of all types or of some. */
const filter = {
  tenantId: optional(globalId('Tenant')),
  reach: optional(z.enum(['SELF', 'SUBTREE'])),
};
const eventType = z
  .string()
  .regex(/^[a-z0-9_]+([.][a-z0-9_]+)*([.][*])?$/, 'an event type, or a prefix ending in ".*"');
const types = optional(z.array(eventType).min(1).max(50));
const cursor = z.string().max(2000);

export const listEventsArgs = listArgs({ ...filter, types });
export type ListEventsArgs = z.infer<typeof listEventsArgs>;

export const followEventsArgs = z.strictObject({ ...filter, types, after: optional(cursor) });
export type FollowEventsArgs = z.infer<typeof followEventsArgs>;

const MOST_EVENTS = 500;
const LONGEST_WAIT_SECONDS = 30;

/** The query string: types with commas between them. */
export const pullEventsQuery = z.strictObject({
  ...filter,
  types: optional(
    z
      .string()
      .transform((text) => text.split(','))
      .pipe(z.array(eventType).min(1).max(50)),
  ),
  after: cursor.optional(),
  limit: z.coerce.number().pipe(z.int().min(1).max(MOST_EVENTS)).default(100),
  wait: z.coerce.number().pipe(z.int().min(0).max(LONGEST_WAIT_SECONDS)).default(0),
});
export type PullEventsQuery = z.infer<typeof pullEventsQuery>;
