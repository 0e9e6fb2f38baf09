import type { Sql, SqlSession } from '../../platform/feed/sql.ts';
import { addDeliveries } from '../webhooks/webhook-fan-out.service.ts';
import { toCloudEvent, type NumberedEvent } from './cloud-event.ts';

type UnnumberedEvent = Omit<NumberedEvent, 'sequence'>;

interface Numbering {
  readonly tenantIds: string[];
  readonly ids: string[];
  readonly sequences: string[];
  readonly positions: string[];
}

/**
 * Numbers committed events that have no number yet, at most `most`, and puts them on their way to the endpoints that
 * want them, in one transaction. Returns how many.
 *
 * The caller holds the relay's lock: numbers are given by one at a time, after the commit, so that whoever has read up
 * to a position has seen everything that will ever stand before it, however late a transaction committed.
 */
export async function numberEvents(session: SqlSession, most: number): Promise<number> {
  return session.transaction(async (sql) => {
    const events = await sql.query<UnnumberedEvent>(
      `select tenant_id as "tenantId", id, type, subject_type as "subjectType", subject_id as "subjectId", data,
              occurred_at as "occurredAt"
         from app.event where position is null order by occurred_at, id limit $1`,
      [most],
    );
    if (events.length > 0) {
      const numbered = await giveNumbers(sql, events);
      await addDeliveries(
        sql,
        numbered.map((event) => ({ ...event, body: JSON.stringify(toCloudEvent(event)) })),
      );
    }
    return events.length;
  });
}

async function giveNumbers(sql: Sql, events: readonly UnnumberedEvent[]): Promise<NumberedEvent[]> {
  const next = await reserveSequences(sql, events);
  const positions = await sql.query<{ position: string }>(
    `select nextval('app.event_position_seq') as position from generate_series(1, $1)`,
    [events.length],
  );
  const numbering: Numbering = { tenantIds: [], ids: [], sequences: [], positions: [] };
  const numbered = events.map((event, index) => {
    const sequence = next.get(event.tenantId) ?? 1n;
    next.set(event.tenantId, sequence + 1n);
    numbering.tenantIds.push(event.tenantId);
    numbering.ids.push(event.id);
    numbering.sequences.push(sequence.toString());
    numbering.positions.push(positions[index]?.position ?? '');
    return { ...event, sequence: sequence.toString() };
  });
  await sql.query(
    `update app.event e set sequence = n.sequence, position = n.position
       from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) n (tenant_id, id, sequence, position)
      where e.tenant_id = n.tenant_id and e.id = n.id`,
    [numbering.tenantIds, numbering.ids, numbering.sequences, numbering.positions],
  );
  return numbered;
}

/** Moves each tenant's counter on by its events; answers the first number that each of them has got. */
async function reserveSequences(sql: Sql, events: readonly UnnumberedEvent[]): Promise<Map<string, bigint>> {
  const counts = Map.groupBy(events, (event) => event.tenantId);
  const rows = await sql.query<{ tenantId: string; last: string }>(
    `insert into app.event_counter as c (tenant_id, sequence)
     select tenant_id, count from unnest($1::uuid[], $2::bigint[]) n (tenant_id, count)
     on conflict (tenant_id) do update set sequence = c.sequence + excluded.sequence
     returning tenant_id as "tenantId", sequence as last`,
    [[...counts.keys()], [...counts.values()].map((own) => own.length)],
  );
  return new Map(
    rows.map(({ tenantId, last }) => [tenantId, BigInt(last) - BigInt(counts.get(tenantId)?.length ?? 0) + 1n]),
  );
}
