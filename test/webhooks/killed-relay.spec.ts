import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { toGlobalId } from '../../src/kernel/global-id.ts';
import type { RelayProcessSettings } from './support/relay-process.ts';
import { openRelayBench, type RelayBench } from './support/relay-bench.ts';
import { startReceiver, verify, type Receiver } from './support/receiver.ts';

describe('a relay that is killed', () => {
  let bench: RelayBench;
  const children: ChildProcess[] = [];
  const receivers: Receiver[] = [];

  beforeAll(async () => {
    bench = await openRelayBench();
  });

  afterEach(async () => {
    await Promise.all(children.splice(0).map(async (child) => kill(child)));
    await Promise.all(receivers.splice(0).map(async (receiver) => receiver.close()));
  });

  afterAll(async () => bench.close());

  function startRelay(timeoutMs: number): ChildProcess {
    const settings: RelayProcessSettings = {
      databaseUrl: bench.databaseUrl,
      secretKey: bench.secretKey.toString('hex'),
      timeoutMs,
    };
    const program = fileURLToPath(new URL('support/relay-process.ts', import.meta.url));
    const child = spawn(process.execPath, [program], { stdio: ['pipe', 'inherit', 'inherit'] });
    child.stdin?.write(`${JSON.stringify(settings)}\n`);
    children.push(child);
    return child;
  }

  async function deliveryOf(eventId: string): Promise<{ state: string; attempts: number; last_error: string | null }> {
    const [row] = await bench.rows<{ state: string; attempts: number; last_error: string | null }>(
      'select state, attempts, last_error from app.webhook_delivery where event_id = $1',
      [eventId],
    );
    return row ?? { state: 'NONE', attempts: 0, last_error: null };
  }

  it('delivers later, with the same id, what it was sending when it died', async () => {
    const held = Promise.withResolvers<{ status: number }>();
    const receiver = await startReceiver(async (_, count) => (count === 1 ? held.promise : { status: 204 }));
    receivers.push(receiver);
    const endpoint = await bench.addEndpoint({
      tenantId: bench.customerId,
      url: receiver.url,
      eventTypes: ['usage.*'],
    });
    const eventId = await bench.addEvent(bench.customerId, 'usage.recorded', { meter: 'restored_bytes' });

    const first = startRelay(3_000);
    const attempt = await receiver.nth(1);
    await kill(first);
    startRelay(3_000);
    const again = await receiver.nth(2);
    held.resolve({ status: 204 });

    expect(verify(attempt, endpoint.secret).id).toBe(toGlobalId('Event', bench.customerId, eventId));
    expect(again.headers['webhook-id']).toBe(attempt.headers['webhook-id']);
    expect(again.body).toBe(attempt.body);
    await vi.waitFor(async () => expect((await deliveryOf(eventId)).state).toBe('DELIVERED'), { timeout: 10_000 });
    const ledger = new Map(receiver.received.map((one) => [one.headers['webhook-id'], verify(one, endpoint.secret)]));
    expect(ledger.size).toBe(1);
    expect(receiver.received).toHaveLength(2);
  });

  it('delivers once to a receiver that was down, although the relay died meanwhile', async () => {
    const closed = await startReceiver();
    await closed.close();
    const endpoint = await bench.addEndpoint({ tenantId: bench.customerId, url: closed.url, eventTypes: ['job.*'] });
    const eventId = await bench.addEvent(bench.customerId, 'job.succeeded');

    const first = startRelay(1_000);
    await vi.waitFor(async () => expect((await deliveryOf(eventId)).last_error).toMatch(/ECONNREFUSED/), {
      timeout: 10_000,
    });
    await kill(first);
    const receiver = await startReceiver(undefined, closed.port);
    receivers.push(receiver);
    startRelay(1_000);

    const delivered = await receiver.nth(1);
    expect(verify(delivered, endpoint.secret)).toMatchObject({
      id: toGlobalId('Event', bench.customerId, eventId),
      type: 'job.succeeded',
      specversion: '1.0',
    });
    await vi.waitFor(async () => expect((await deliveryOf(eventId)).state).toBe('DELIVERED'), { timeout: 10_000 });
    expect(receiver.received).toHaveLength(1);
  });
});

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}
