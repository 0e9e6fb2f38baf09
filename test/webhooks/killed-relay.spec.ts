import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { toGlobalId } from '../../src/kernel/global-id.ts';
import { freePort } from '../../src/platform/process/free-port.ts';
import { openRelayBench, type RelayBench } from './support/relay-bench.ts';
import { startReceiver, verify, type Receiver } from './support/receiver.ts';

describe('a relay that is killed', () => {
  let bench: RelayBench;
  let keysFolder: string;
  const children: ChildProcess[] = [];
  const receivers: Receiver[] = [];

  beforeAll(async () => {
    bench = await openRelayBench();
    keysFolder = await mkdtemp(join(tmpdir(), 'holdfast-relay-'));
    await writeFile(join(keysFolder, 'control.key'), bench.secretKey.toString('hex'));
  });

  afterEach(async () => {
    await Promise.all(children.splice(0).map(async (child) => kill(child)));
    await Promise.all(receivers.splice(0).map(async (receiver) => receiver.close()));
  });

  afterAll(async () => {
    await bench.close();
    await rm(keysFolder, { recursive: true, force: true });
  });

  /** The relay's own process, as an operator starts it. */
  function startRelay(): ChildProcess {
    const program = fileURLToPath(new URL('../../dist/src/main/relay.js', import.meta.url));
    const child = spawn(process.execPath, [program, '--exit-with-stdin'], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {
        DATABASE_URL: bench.databaseUrl,
        HOLDFAST_KEYS: keysFolder,
        HOLDFAST_WEBHOOK_ALLOW: '127.0.0.0/8',
        HOLDFAST_WEBHOOK_TIMEOUT: '60s',
        HOLDFAST_WEBHOOK_RETRY: '100ms',
      },
    });
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

  /** What a relay was sending when it died counts as lost after two time-outs. */
  async function waitOutLease(): Promise<void> {
    await bench.rows(`update app.webhook_delivery set next_attempt_at = now()`);
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

    const first = startRelay();
    const attempt = await receiver.nth(1);
    await kill(first);
    await waitOutLease();
    startRelay();
    const again = await receiver.nth(2);
    held.resolve({ status: 204 });

    expect(verify(attempt, endpoint.secret).id).toBe(toGlobalId('Event', bench.customerId, eventId));
    expect(again.headers['webhook-id']).toBe(attempt.headers['webhook-id']);
    expect(again.body).toBe(attempt.body);
    await expect.poll(async () => (await deliveryOf(eventId)).state).toBe('DELIVERED');
    const ledger = new Map(receiver.received.map((one) => [one.headers['webhook-id'], verify(one, endpoint.secret)]));
    expect(ledger.size).toBe(1);
    expect(receiver.received).toHaveLength(2);
  });

  it('delivers once to a receiver that was down, although the relay died meanwhile', async () => {
    const closed = await startReceiver(undefined, await freePort());
    await closed.close();
    const endpoint = await bench.addEndpoint({ tenantId: bench.customerId, url: closed.url, eventTypes: ['job.*'] });
    const eventId = await bench.addEvent(bench.customerId, 'job.succeeded');

    const first = startRelay();
    await expect.poll(async () => (await deliveryOf(eventId)).last_error).toMatch(/ECONNREFUSED/);
    await kill(first);
    await waitOutLease();
    const receiver = await startReceiver(undefined, closed.port);
    receivers.push(receiver);
    startRelay();

    const delivered = await receiver.nth(1);
    expect(verify(delivered, endpoint.secret)).toMatchObject({
      id: toGlobalId('Event', bench.customerId, eventId),
      type: 'job.succeeded',
      specversion: '1.0',
    });
    await expect.poll(async () => (await deliveryOf(eventId)).state).toBe('DELIVERED');
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
