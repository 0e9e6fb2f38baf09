import { Injectable } from '@nestjs/common';
import { notFound, type NodeKey } from '../../kernel/global-id.ts';
import type { TenantId } from '../../kernel/ids.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { type Connection, mapConnection } from '../../platform/paging/connection.ts';
import { Pager } from '../../platform/paging/pager.ts';
import type { NumberedEvent } from './cloud-event.ts';
import { EventStreamService, listOf } from './event-stream.service.ts';
import { EventRow } from './event.entity.ts';
import type { ListEventsArgs } from './event.input.ts';

const BY_POSITION = [{ column: 'event.position', type: 'bigint' }] as const;

/** Events one by one and page by page. */
@Injectable()
export class EventService {
  constructor(
    private readonly db: TenantDb,
    private readonly pager: Pager,
    private readonly stream: EventStreamService,
  ) {}

  /** NOT_FOUND also for an event that has no number yet: nobody can have seen its id. */
  async getEvent({ tenantId, id }: NodeKey): Promise<NumberedEvent> {
    return await this.db.run(async (em) => {
      const row = await em.findOneBy(EventRow, { tenantId: tenantId as TenantId, id });
      if (row === null || row.sequence === null) {
        throw notFound('Event');
      }
      return toNumbered(row);
    });
  }

  /** Oldest first. The cursors are those of the stream. */
  async listEvents({ tenantId, reach, types, ...page }: ListEventsArgs): Promise<Connection<NumberedEvent>> {
    const filter = this.stream.filterOf({ tenantId, reach, types });
    return await this.db.within(filter.tenant, async (em) => {
      const query = em.createQueryBuilder(EventRow, 'event').where('event.position is not null');
      if (filter.reach === 'SELF') {
        query.andWhere('event.tenant_id = :tenantId', filter.tenant);
      }
      if (filter.types.length > 0) {
        query.andWhere('event.type like any (:patterns)', { patterns: filter.types.map(toPattern) });
      }
      const found = await this.pager.page(query, { list: listOf(filter), sort: BY_POSITION, direction: 'ASC' }, page);
      return mapConnection(found, toNumbered);
    });
  }
}

function toNumbered(row: EventRow): NumberedEvent {
  const { tenantId, id, type, subjectType, subjectId, data, occurredAt, sequence } = row;
  return { tenantId, id, type, subjectType, subjectId, data, occurredAt, sequence: sequence ?? '0' };
}

/** `job.*` as LIKE has it; an underscore stands for itself. */
function toPattern(type: string): string {
  return type.replaceAll('_', '\\_').replace(/\*$/, '%');
}
