import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runRelay } from '../../src/control/events/relay.ts';
import { FEED_CHANNEL, Feed } from '../../src/platform/feed/feed.ts';
import { listen } from '../../src/platform/feed/listen.ts';
import { openRelayBench, type RelayBench } from './support/relay-bench.ts';

let bench: RelayBench;
let stop: AbortController;
const running: Promise<void>[] = [];

beforeAll(async () => {
  bench = await openRelayBench();
});
beforeEach(async () => {
  stop = new AbortController();
  await bench.rows('truncate app.event, app.event_counter cascade');
});
afterEach(async () => {
  stop.abort();
  await Promise.all(running.splice(0));
});
afterAll(async () => {
  await bench.close();
});

function relay(onNumbered?: () => void): void {
  const options = { everyMs: 200, standbyMs: 50, ...(onNumbered === undefined ? {} : { onNumbered }) };
  running.push(runRelay(bench.relay, options, stop.signal));
}

/** Ends the connection of whoever runs a statement like this, as a network or a server does. */
async function cut(statement: string): Promise<number> {
  const rows = await bench.rows(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and query ilike $1`,
    [statement],
  );
  return rows.length;
}

async function sequences(): Promise<string[]> {
  const rows = await bench.rows<{ sequence: string }>(
    'select sequence from app.event where sequence is not null order by position',
  );
  return rows.map(({ sequence }) => sequence);
}

describe('the relay', () => {
  it('is one at a time, and another takes over where its connection is lost', async () => {
    let first = 0;
    let second = 0;
    relay(() => (first += 1));
    relay(() => (second += 1));
    await bench.addEvent(bench.customerId);
    await expect.poll(async () => await sequences()).toEqual(['1']);
    // The event is visible before its relay says so.
    await expect.poll(() => first + second).toBeGreaterThan(0);
    expect([Math.min(first, second), Math.max(first, second)]).toEqual([0, 1]);
    const [locks] = await bench.rows<{ held: number }>(
      `select count(*)::int as held from pg_locks where locktype = 'advisory' and granted
          and database = (select oid from pg_database where datname = current_database())`,
    );
    expect(locks?.held).toBe(1);

    await bench.rows(
      `select pg_terminate_backend(l.pid) from pg_locks l where l.locktype = 'advisory' and l.granted
          and l.database = (select oid from pg_database where datname = current_database())`,
    );
    for (let i = 0; i < 5; i += 1) {
      await bench.addEvent(bench.customerId);
    }
    await expect.poll(async () => await sequences()).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  it('tells that something moved, and nothing about it', async () => {
    const listener = new Client({ connectionString: bench.adminUrl });
    const payloads: (string | undefined)[] = [];
    listener.on('notification', ({ payload }) => payloads.push(payload));
    await listener.connect();
    await listener.query(`listen ${FEED_CHANNEL}`);
    relay();
    await bench.rows(
      `insert into app.event (tenant_id, type, subject_type, subject_id)
       select $1, 'site.created', 'Site', uuidv7() from generate_series(1, 1200)`,
      [bench.customerId],
    );
    await expect.poll(async () => await sequences()).toHaveLength(1200);
    await expect.poll(() => payloads.length).toBeGreaterThan(0);
    expect(new Set(payloads)).toEqual(new Set(['']));
    expect(payloads.length).toBeLessThan(20);
    await listener.end();
  });
});

describe('the feed', () => {
  it('listens again where its connection was lost, and wakes everybody once for what was missed', async () => {
    const feed = new Feed(60_000);
    const lost: unknown[] = [];
    running.push(listen(bench.relay, feed, stop.signal, { onLost: (error) => lost.push(error) }));
    const looks = feed.looks(stop.signal);
    await looks.next();
    await expect.poll(async () => await cut(`listen ${FEED_CHANNEL}`)).toBe(1);
    await looks.next();
    await bench.rows(`notify ${FEED_CHANNEL}`);
    await looks.next();
    expect(feed.size).toBe(1);
    await looks.return(undefined);
    expect(feed.size).toBe(0);
  });
});
