import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { numberEvents } from '../../src/control/events/number-events.ts';
import { createAddressPolicy } from '../../src/control/webhooks/address-policy.ts';
import { WebhookSender, type WebhookSenderOptions } from '../../src/control/webhooks/webhook-sender.ts';
import { newWebhookSecret } from '../../src/control/webhooks/webhook-signature.ts';
import type { AddressRange } from '../../src/platform/config/readers.ts';
import type { SqlSession } from '../../src/platform/feed/sql.ts';
import { addSecret, openRelayBench, type RelayBench } from './support/relay-bench.ts';
import { startReceiver, verify, type Receiver } from './support/receiver.ts';

const LOOPBACK: AddressRange = { address: '127.0.0.0', prefix: 8, family: 'ipv4' };

interface DeliveryRow {
  readonly state: string;
  readonly attempts: number;
  readonly last_status: number | null;
  readonly last_error: string | null;
  readonly wait_ms: number;
}

describe('webhook deliveries', () => {
  let bench: RelayBench;
  let session: SqlSession;
  let stop = new AbortController();
  const running: Promise<void>[] = [];
  const receivers: Receiver[] = [];

  beforeAll(async () => {
    bench = await openRelayBench();
    session = await bench.relay.session();
  });

  beforeEach(async () => {
    await bench.rows('truncate app.webhook_endpoint, app.event, app.event_counter cascade');
  });

  afterEach(async () => {
    stop.abort();
    await Promise.all(running.splice(0));
    await Promise.all(receivers.splice(0).map(async (receiver) => receiver.close()));
    stop = new AbortController();
  });

  afterAll(async () => {
    await session.close();
    await bench.close();
  });

  async function receive(...[answer]: Parameters<typeof startReceiver>): Promise<Receiver> {
    const receiver = await startReceiver(answer);
    receivers.push(receiver);
    return receiver;
  }

  function send(options: Partial<WebhookSenderOptions> = {}, allow: readonly AddressRange[] = [LOOPBACK]): void {
    const sender = new WebhookSender(bench.relay, {
      policy: createAddressPolicy(allow),
      schedule: { firstMs: 20, forMs: 60_000 },
      timeoutMs: 60_000,
      everyMs: 20,
      openSecret: ({ sealed, ...place }) => bench.box.open(sealed, { ...place, purpose: 'WEBHOOK_SECRET' }),
      ...options,
    });
    running.push(sender.run(stop.signal));
  }

  async function publish(type = 'site.created', tenantId = bench.customerId): Promise<string> {
    const eventId = await bench.addEvent(tenantId, type);
    await numberEvents(session, 100);
    return eventId;
  }

  async function delivery(eventId: string): Promise<DeliveryRow | undefined> {
    const [row] = await bench.rows<DeliveryRow>(
      `select state, attempts, last_status, last_error,
              (extract(epoch from next_attempt_at - now()) * 1000)::float8 as wait_ms
         from app.webhook_delivery where event_id = $1`,
      [eventId],
    );
    return row;
  }

  async function attempted(eventId: string, state: string): Promise<DeliveryRow> {
    const tried = expect.objectContaining({ state, last_error: expect.anything() as unknown }) as unknown;
    await expect.poll(async () => await delivery(eventId)).toEqual(tried);
    return (await delivery(eventId)) as DeliveryRow;
  }

  it('reach the tenant’s own endpoints and those above it that were made for the subtree, by filter', async () => {
    const receiver = await receive();
    const { url } = receiver;
    const own = await bench.addEndpoint({ tenantId: bench.customerId, url, eventTypes: ['site.*'] });
    const above = await bench.addEndpoint({ tenantId: bench.providerId, url, reach: 'SUBTREE' });
    await bench.addEndpoint({ tenantId: bench.providerId, url, reach: 'SELF' });
    await bench.addEndpoint({ tenantId: bench.customerId, url, eventTypes: ['site.deleted', 'job.*'] });
    await publish('site.created');
    const rows = await bench.rows<{ endpoint_id: string }>('select endpoint_id from app.webhook_delivery');
    expect(rows.map((row) => row.endpoint_id).toSorted()).toEqual([own.id, above.id].toSorted());
  });

  it('are signed with both secrets while one is being replaced', async () => {
    const receiver = await receive();
    const endpoint = await bench.addEndpoint({ tenantId: bench.customerId, url: receiver.url });
    const next = newWebhookSecret();
    const nextId = await addSecret(bench.rows, bench.box, bench.customerId, next);
    await bench.rows(
      `update app.webhook_endpoint set previous_secret_id = secret_id, secret_id = $1,
              previous_secret_expires_at = now() + interval '1 hour'`,
      [nextId],
    );
    send();
    await publish();
    const first = await receiver.nth(1);
    expect(verify(first, endpoint.secret)).toEqual(verify(first, next));

    await bench.rows(`update app.webhook_endpoint set previous_secret_expires_at = now()`);
    await publish();
    const second = await receiver.nth(2);
    expect(verify(second, next)).toMatchObject({ specversion: '1.0' });
    expect(() => verify(second, endpoint.secret)).toThrow(/signature/);
  });

  it('follow no redirect', async () => {
    const elsewhere = await receive();
    const receiver = await receive(() => ({ status: 307, headers: { location: elsewhere.url } }));
    await bench.addEndpoint({ tenantId: bench.customerId, url: receiver.url });
    send({ schedule: { firstMs: 60_000, forMs: 600_000 } });
    const row = await attempted(await publish(), 'PENDING');
    expect(row).toMatchObject({ last_status: 307, last_error: expect.stringContaining('redirect') as unknown });
    expect(elsewhere.received).toHaveLength(0);
  });

  it('go to no private address that the operator has not listed', async () => {
    const receiver = await receive();
    const named = receiver.url.replace('127.0.0.1', 'rebound.example');
    await bench.addEndpoint({ tenantId: bench.customerId, url: receiver.url });
    await bench.addEndpoint({ tenantId: bench.customerId, url: named });
    send(
      { resolve: async () => [{ address: '127.0.0.1', family: 4 }], schedule: { firstMs: 60_000, forMs: 600_000 } },
      [],
    );
    const eventId = await publish();
    const errors = async (): Promise<unknown[]> => {
      const rows = await bench.rows<DeliveryRow>(
        'select last_error from app.webhook_delivery where event_id = $1 and attempts = 1 and last_error is not null',
        [eventId],
      );
      return rows.map((row) => row.last_error);
    };
    await expect.poll(errors).toEqual(Array(2).fill(expect.stringContaining('not public')));
    expect(receiver.received).toHaveLength(0);
  });

  it('are sent to the address that was judged, not to what the name resolves to later', async () => {
    const receiver = await receive();
    const asked: string[] = [];
    await bench.addEndpoint({ tenantId: bench.customerId, url: receiver.url.replace('127.0.0.1', 'pinned.example') });
    send({
      resolve: async (hostname) => {
        asked.push(hostname);
        return [
          { address: '10.255.255.1', family: 4 },
          { address: '127.0.0.1', family: 4 },
        ];
      },
    });
    await publish();
    const delivered = await receiver.nth(1);
    expect(delivered.headers.host).toBe(`pinned.example:${receiver.port}`);
    expect(asked).toEqual(['pinned.example']);
  });

  it('end for good where the receiver says that it is gone, and somebody is told', async () => {
    const receiver = await receive(() => ({ status: 410 }));
    const watcher = await receive();
    const gone = await bench.addEndpoint({ tenantId: bench.customerId, url: receiver.url, eventTypes: ['site.*'] });
    await bench.addEndpoint({ tenantId: bench.customerId, url: watcher.url, eventTypes: ['webhook_endpoint.*'] });
    const eventId = await publish();
    send();
    await attempted(eventId, 'FAILED');
    await numberEvents(session, 100);
    const told = JSON.parse((await watcher.nth(1)).body) as { type: string };
    expect(told.type).toBe('webhook_endpoint.gone');
    const [row] = await bench.rows<{ state: string; version: number }>(
      'select state, version from app.webhook_endpoint where id = $1',
      [gone.id],
    );
    expect(row).toEqual({ state: 'GONE', version: 2 });
    expect(await delivery(await publish())).toBeUndefined();
  });

  it('wait as long as an overloaded receiver asks', async () => {
    const receiver = await receive(() => ({ status: 503, headers: { 'retry-after': '3600' } }));
    await bench.addEndpoint({ tenantId: bench.customerId, url: receiver.url });
    send();
    const row = await attempted(await publish(), 'PENDING');
    expect(row.wait_ms).toBeGreaterThan(3_500_000);
    expect(row.wait_ms).toBeLessThanOrEqual(3_600_000);
  });

  it('count as failed when the answer does not come in time', async () => {
    const never = Promise.withResolvers<{ status: number }>();
    const receiver = await receive(async () => never.promise);
    await bench.addEndpoint({ tenantId: bench.customerId, url: receiver.url });
    send({ timeoutMs: 100, schedule: { firstMs: 60_000, forMs: 600_000 } });
    const row = await attempted(await publish(), 'PENDING');
    expect(row).toMatchObject({ last_status: null, last_error: 'No answer within 0.1 s.' });
    never.resolve({ status: 204 });
  });

  it('raise an alarm once while the endpoint keeps failing, and say when it is well again', async () => {
    let healthy = false;
    const receiver = await receive(() => ({ status: healthy ? 204 : 500 }));
    await bench.addEndpoint({ tenantId: bench.customerId, url: receiver.url, eventTypes: ['site.*'] });
    send({ alarmAfterMs: 50 });
    const eventId = await publish();
    const types = async (): Promise<string[]> =>
      (await bench.rows<{ type: string }>(`select type from app.event where type like 'webhook%' order by id`)).map(
        (row) => row.type,
      );
    await expect.poll(types).toEqual(['webhook_endpoint.failing']);
    await receiver.nth(receiver.received.length + 1);
    healthy = true;
    await expect.poll(async () => (await delivery(eventId))?.state).toBe('DELIVERED');
    expect(await types()).toEqual(['webhook_endpoint.failing', 'webhook_endpoint.recovered']);
  });

  it('are given up when the time for them has passed', async () => {
    const receiver = await receive(() => ({ status: 500 }));
    await bench.addEndpoint({ tenantId: bench.customerId, url: receiver.url });
    send();
    const eventId = await publish();
    await receiver.nth(2);
    await bench.rows(`update app.webhook_delivery set first_due_at = first_due_at - interval '1 hour'`);
    const row = await attempted(eventId, 'FAILED');
    expect(row.attempts).toBeGreaterThan(1);
    expect(row.last_status).toBe(500);
  });

  it('are made once by several senders, and not held up by one slow receiver', async () => {
    const never = Promise.withResolvers<{ status: number }>();
    const slow = await receive(async () => never.promise);
    const quick = await receive();
    await bench.addEndpoint({ tenantId: bench.customerId, url: slow.url });
    await bench.addEndpoint({ tenantId: bench.customerId, url: quick.url });
    for (let i = 0; i < 30; i += 1) {
      await bench.addEvent(bench.customerId);
    }
    await numberEvents(session, 100);
    for (let i = 0; i < 3; i += 1) {
      send({ slots: 12 });
    }
    await quick.nth(30);
    const ids = quick.received.map((one) => one.headers['webhook-id']);
    expect(new Set(ids).size).toBe(30);
    expect(ids).toHaveLength(30);
    never.resolve({ status: 204 });
  });
});
