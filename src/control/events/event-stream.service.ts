import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { NodeKey } from '../../kernel/global-id.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { CursorCodec } from '../../platform/paging/cursor-codec.ts';
import type { NumberedEvent } from './cloud-event.ts';
import type { FollowEventsArgs } from './event.input.ts';

/** Which events, once the caller is known. */
export interface EventFilter {
  readonly tenant: NodeKey;
  readonly reach: 'SELF' | 'SUBTREE';
  readonly types: readonly string[];
}

export interface PositionedEvent extends NumberedEvent {
  /** Good to go on after this event, with the same filter. */
  readonly cursor: string;
}

export interface EventPage {
  readonly events: readonly PositionedEvent[];
  /** Where to go on: after the last event, or where the page began. */
  readonly next: string;
}

/** The stream of numbered events, in one order over all tenants that the caller may see. */
@Injectable()
export class EventStreamService {
  constructor(
    private readonly scope: TenantScope,
    private readonly db: TenantDb,
    private readonly cursors: CursorCodec,
  ) {}

  filterOf({ tenantId, reach = 'SELF', types = [] }: Omit<FollowEventsArgs, 'after'>): EventFilter {
    return { tenant: this.scope.tenantOr(tenantId), reach, types: types.toSorted() };
  }

  /** The events after a cursor, oldest first; from the oldest one on where there is no cursor. */
  async readEvents(filter: EventFilter, after: string | undefined, limit: number): Promise<EventPage> {
    const list = listOf(filter);
    const position = after === undefined ? '0' : (this.cursors.decode(after, list)[0] ?? '0');
    const rows = await this.db.within(filter.tenant, async (em) => await readAfter(em, filter, position, limit));
    const events = rows.map((row) => ({ ...row, cursor: this.cursors.encode([row.position], list) }));
    return { events, next: events.at(-1)?.cursor ?? after ?? this.cursors.encode([position], list) };
  }

  /** A cursor after everything that has happened so far. */
  async now(filter: EventFilter): Promise<string> {
    const position = await this.db.within(filter.tenant, async (em) => {
      const [row]: { position: string | null }[] = await em.query(
        `select max(newest.position) as position
           from unnest(${TENANTS}) tenant
           cross join lateral (select max(e.position) as position from app.event e where e.tenant_id = tenant) newest`,
        [filter.tenant.tenantId, filter.reach],
      );
      return row?.position ?? '0';
    });
    return this.cursors.encode([position], listOf(filter));
  }
}

/** What a cursor is bound to. GraphQL's list of events takes the same ones. */
export function listOf({ tenant, reach, types }: EventFilter): string {
  return ['events', tenant.tenantId, reach, types.join(',')].join('|');
}

/** One tenant, or all that the read root's subtree has and the caller may see. */
const TENANTS = `(case when $2 = 'SUBTREE' then app.scope() else array[$1::uuid] end)`;

/** The first few of each tenant, merged: an index of each tenant's own does the work. */
async function readAfter(
  em: EntityManager,
  { tenant, reach, types }: EventFilter,
  position: string,
  limit: number,
): Promise<(NumberedEvent & { readonly position: string })[]> {
  return await em.query(
    `select e.tenant_id as "tenantId", e.id, e.type, e.subject_type as "subjectType", e.subject_id as "subjectId",
            e.data, e.occurred_at as "occurredAt", e.sequence, e.position
       from unnest(${TENANTS}) tenant
       cross join lateral (
         select * from app.event e
          where e.tenant_id = tenant and e.position > $3
            and (cardinality($4::text[]) = 0 or exists (
              select from unnest($4::text[]) wanted
               where wanted = e.type or (right(wanted, 1) = '*' and starts_with(e.type, left(wanted, -1)))))
          order by e.position limit $5) e
      order by e.position limit $5`,
    [tenant.tenantId, reach, position, types, limit],
  );
}
