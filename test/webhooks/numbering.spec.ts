import * as fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { numberEvents } from '../../src/control/events/number-events.ts';
import type { SqlSession } from '../../src/platform/feed/sql.ts';
import { openRelayBench, type RelayBench } from './support/relay-bench.ts';

const WRITERS = 4;
const BATCH = 3;

type Step =
  | { readonly do: 'insert'; readonly writer: number; readonly tenant: number }
  | { readonly do: 'commit'; readonly writer: number }
  | { readonly do: 'rollback'; readonly writer: number }
  | { readonly do: 'number' }
  | { readonly do: 'read' };

const writer = fc.nat(WRITERS - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('insert' as const), writer, tenant: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('commit' as const), writer }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rollback' as const), writer }) },
  { weight: 1, arbitrary: fc.constant({ do: 'number' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'read' as const }) },
);

interface Seen {
  readonly id: string;
  readonly position: string;
}

/** Transactions of several writers that stay open and end in any order, beside a relay and a reader with a cursor. */
class World {
  readonly committed: string[] = [];
  readonly seen: Seen[] = [];
  readonly #pending = new Map<number, string[]>();
  readonly #bench: RelayBench;
  readonly #writers: readonly Client[];
  readonly #session: SqlSession;

  constructor(bench: RelayBench, writers: readonly Client[], session: SqlSession) {
    this.#bench = bench;
    this.#writers = writers;
    this.#session = session;
  }

  async take(step: Step): Promise<void> {
    if (step.do === 'insert') {
      await this.#insert(step.writer, step.tenant === 0 ? this.#bench.providerId : this.#bench.customerId);
    } else if (step.do === 'number') {
      await numberEvents(this.#session, BATCH);
    } else if (step.do === 'read') {
      await this.read();
    } else {
      await this.#end(step.writer, step.do);
    }
  }

  async finish(): Promise<void> {
    for (let writer = 0; writer < WRITERS; writer += 1) {
      await this.#end(writer, 'commit');
    }
    while ((await numberEvents(this.#session, BATCH)) > 0) {
      // until all have a number
    }
    await this.read();
  }

  async read(): Promise<void> {
    const after = this.seen.at(-1)?.position ?? '0';
    this.seen.push(
      ...(await this.#bench.rows<Seen>(
        'select id, position from app.event where position > $1 order by position limit 2',
        [after],
      )),
    );
    if ((this.seen.at(-1)?.position ?? '0') !== after) {
      await this.read();
    }
  }

  async #insert(writer: number, tenantId: string): Promise<void> {
    const client = this.#writers[writer];
    if (!this.#pending.has(writer)) {
      await client?.query('begin');
      this.#pending.set(writer, []);
    }
    const result = await client?.query<{ id: string }>(
      `insert into app.event (tenant_id, type, subject_type, subject_id)
       values ($1, 'site.created', 'Site', uuidv7()) returning id`,
      [tenantId],
    );
    this.#pending.get(writer)?.push(result?.rows[0]?.id ?? '');
  }

  async #end(writer: number, how: 'commit' | 'rollback'): Promise<void> {
    if (this.#pending.has(writer)) {
      await this.#writers[writer]?.query(how);
      this.committed.push(...(how === 'commit' ? (this.#pending.get(writer) ?? []) : []));
      this.#pending.delete(writer);
    }
  }
}

describe('numbering', () => {
  let bench: RelayBench;
  let session: SqlSession;
  const writers: Client[] = [];

  beforeAll(async () => {
    bench = await openRelayBench();
    session = await bench.relay.session();
    for (let i = 0; i < WRITERS; i += 1) {
      const client = new Client({ connectionString: bench.adminUrl });
      await client.connect();
      writers.push(client);
    }
  });

  afterAll(async () => {
    await Promise.all(writers.map(async (client) => client.end()));
    await session.close();
    await bench.close();
  });

  it('loses and doubles no event, whatever order transactions commit in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        await bench.rows('truncate app.event, app.event_counter cascade');
        const world = new World(bench, writers, session);
        for (const one of steps) {
          await world.take(one);
        }
        await world.finish();
        expect(world.seen.map(({ id }) => id).toSorted()).toEqual(world.committed.toSorted());
        for (const tenantId of [bench.providerId, bench.customerId]) {
          const rows = await bench.rows<{ sequence: string }>(
            'select sequence from app.event where tenant_id = $1 order by position',
            [tenantId],
          );
          expect(rows.map(({ sequence }) => sequence)).toEqual(rows.map((_, index) => String(index + 1)));
        }
      }),
      { numRuns: 40 },
    );
  });
});
