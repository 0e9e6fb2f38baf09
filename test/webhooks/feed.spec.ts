import { randomUUID } from 'node:crypto';
import { createClient, type Client as LiveClient } from 'graphql-ws';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { runRelay } from '../../src/control/events/relay.ts';
import { fromGlobalId, toGlobalId } from '../../src/kernel/global-id.ts';
import { openRoleDatabase } from '../../src/platform/feed/role-database.ts';
import type { RoleDatabase } from '../../src/platform/feed/sql.ts';
import { TestApi } from '../support/test-api.ts';

interface CloudEvent {
  readonly id: string;
  readonly type: string;
  readonly sequence: string;
  readonly data: Record<string, unknown>;
}
interface Page {
  readonly items: readonly CloudEvent[];
  readonly next: string;
}
interface SseEvent {
  readonly id: string;
  readonly event: string;
  readonly data: CloudEvent;
}

let api: TestApi;
let token: string;
let admin: Client;
let relay: RoleDatabase;
const stop = new AbortController();
let running: Promise<void>;
const clients: LiveClient[] = [];

beforeAll(async () => {
  api = await TestApi.start();
  token = api.administrator.token;
  admin = new Client({ connectionString: api.database.adminUrl });
  await admin.connect();
  relay = openRoleDatabase({ url: api.database.url, role: 'holdfast_relay', poolSize: 2 });
  running = runRelay(relay, { everyMs: 200, standbyMs: 100 }, stop.signal);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map(async (client) => client.dispose()));
});
afterAll(async () => {
  stop.abort();
  await running;
  await relay.end();
  await admin.end();
  await api.stop();
});

async function createSite(name: string): Promise<void> {
  const headers = { 'idempotency-key': randomUUID() };
  const { status } = await api.rest(token, 'POST', '/v1/sites', { body: { name }, headers });
  expect(status).toBe(201);
}

async function pull(query: string, as = token): Promise<Page> {
  const { status, body } = await api.rest(as, 'GET', `/v1/events?${query}`);
  expect(status).toBe(200);
  return body as Page;
}

async function newToken(): Promise<{ id: string; secret: string }> {
  const body = { name: 'Listener', scopes: ['events:read', 'jobs:read'] };
  const made = await api.rest(token, 'POST', '/v1/tokens', { body, headers: { 'idempotency-key': randomUUID() } });
  expect(made.status).toBe(201);
  const { token: row, secret } = made.body as { token: { id: string }; secret: string };
  return { id: row.id, secret };
}

async function openStream(as = token, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
  const response = await fetch(`${api.running.url}/v1/events`, {
    headers: { accept: 'text/event-stream', authorization: `Bearer ${as}`, ...headers },
    ...(signal === undefined ? {} : { signal }),
  });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  return response;
}

/** Server-sent events as they come; ends when the server ends the stream. */
async function* eventsOf(response: Response): AsyncGenerator<SseEvent> {
  let text = '';
  for await (const chunk of (response.body ?? new ReadableStream<Uint8Array>()).pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks.filter((one) => one.startsWith('id: '))) {
      const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
      yield { id: field('id'), event: field('event'), data: JSON.parse(field('data')) as CloudEvent };
    }
  }
}

function subscribe(query: string, variables: Record<string, unknown>, as = token): AsyncIterableIterator<unknown> {
  const client = createClient({
    url: `${api.running.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${as}` },
    retryAttempts: 0,
  });
  clients.push(client);
  return client.iterate({ query, variables });
}

async function addJob(tenantId = api.administrator.tenantId): Promise<string> {
  const jobId = randomUUID();
  await admin.query(
    `insert into app.job (tenant_id, id, kind, input, actor_tenant_id, actor)
     values ($1, $2, 'VAULT_CREATION', '{}', $1, 'system:test')`,
    [tenantId, jobId],
  );
  return jobId;
}

describe('the event feed', () => {
  it('is pulled page by page, and waits for what comes next', async () => {
    const start = (await pull('limit=500')).next;
    await createSite('Oslo');
    const first = await pull(`after=${start}&wait=30`);
    expect(first.items).toMatchObject([{ type: 'site.created', data: { name: 'Oslo' } }]);
    const waiting = pull(`after=${first.next}&wait=30`);
    await createSite('Bergen');
    const second = await waiting;
    expect(second.items).toMatchObject([{ type: 'site.created', data: { name: 'Bergen' } }]);
    expect(Number(second.items[0]?.sequence)).toBe(Number(first.items[0]?.sequence) + 1);
  });

  it('goes on as a stream from the last event that a client has seen', async () => {
    const seen = new AbortController();
    const next = eventsOf(await openStream(token, {}, seen.signal)).next();
    const trigger = setInterval(() => void createSite(randomUUID()), 300);
    const first = (await next).value as SseEvent;
    clearInterval(trigger);
    seen.abort();
    await createSite('Missed while away');
    const back = new AbortController();
    const names: unknown[] = [];
    for await (const event of eventsOf(await openStream(token, { 'last-event-id': first.id }, back.signal))) {
      expect(event.event).toBe('site.created');
      names.push(event.data.data['name']);
      if (event.data.data['name'] === 'Missed while away') {
        break;
      }
    }
    back.abort();
    expect(names).not.toContain(first.data.data['name']);
    const all = (await pull(`after=${first.id}&limit=500`)).items.map(({ data }) => data['name']);
    expect(all.slice(0, names.length)).toEqual(names);
  });

  it('refuses a cursor of another filter', async () => {
    const { next } = await pull('types=job.*');
    const answer = await api.rest(token, 'GET', `/v1/events?after=${next}`);
    expect(answer).toMatchObject({ status: 400, body: { code: 'BAD_CURSOR' } });
  });

  it('ends a stream with its token', async () => {
    const listener = await newToken();
    const stream = eventsOf(await openStream(listener.secret));
    const revoked = await api.rest(token, 'POST', `/v1/tokens/${listener.id}/revoke`, {
      headers: { 'idempotency-key': randomUUID() },
    });
    expect(revoked.status).toBeLessThan(300);
    await createSite('After the end');
    const names: unknown[] = [];
    for await (const { data } of stream) {
      names.push(data.data['name']);
    }
    expect(names).not.toContain('After the end');
  });

  it('tells of events by subscription, with cursors that the list takes', async () => {
    const stream = subscribe(
      'subscription { events(types: ["site.*"]) { cursor node { id type sequence data } } }',
      {},
    );
    const next = stream.next();
    const trigger = setInterval(() => void createSite(randomUUID()), 300);
    const { value } = (await next) as { value: { data: { events: { cursor: string; node: { id: string } } } } };
    clearInterval(trigger);
    await createSite('After it');
    await pull(`wait=30&types=site.*&after=${value.data.events.cursor}`);
    const listed = await api.data<{ events: { edges: { node: { id: string } }[] } }>(
      token,
      'query ($after: String) { events(first: 50, after: $after, types: ["site.*"]) { edges { node { id type } } } }',
      { after: value.data.events.cursor },
    );
    const ids = listed.events.edges.map(({ node }) => node.id);
    expect(ids.length).toBeGreaterThan(0);
    expect(ids).not.toContain(value.data.events.node.id);
  });

  it('follows a job from where it stands to its end', async () => {
    const jobId = await addJob();
    const stream = subscribe(
      'subscription ($jobId: ID!) { jobProgress(jobId: $jobId) { state progress { bytesDone } } }',
      {
        jobId: toGlobalId('Job', api.administrator.tenantId, jobId),
      },
    );
    const states: unknown[] = [(await stream.next()).value];
    await admin.query(
      `insert into app.job_progress (tenant_id, job_id, phase, bytes_done, bytes_total) values ($1, $2, 'disks', 7, 9)`,
      [api.administrator.tenantId, jobId],
    );
    states.push((await stream.next()).value);
    await admin.query(`update app.job set state = 'FAILED', finished_at = now() where id = $1`, [jobId]);
    await admin.query(`update app.job_progress set updated_at = clock_timestamp() where job_id = $1`, [jobId]);
    states.push((await stream.next()).value);
    expect(states).toMatchObject([
      { data: { jobProgress: { state: 'QUEUED', progress: null } } },
      { data: { jobProgress: { state: 'QUEUED', progress: { bytesDone: '7' } } } },
      { data: { jobProgress: { state: 'FAILED' } } },
    ]);
    expect((await stream.next()).done).toBe(true);
  });

  it('answers another tenant’s job as it answers a random id', async () => {
    const root = api.administrator.tenantId;
    const { body } = await api.rest(token, 'POST', '/v1/tenants', {
      body: { name: 'Customer', kind: 'CUSTOMER', parentId: toGlobalId('Tenant', root, root) },
      headers: { 'idempotency-key': randomUUID() },
    });
    const customer = fromGlobalId('Tenant', (body as { id: string }).id).id;
    const foreign = toGlobalId('Job', customer, await addJob(customer));
    const { secret } = await newToken();
    const query = 'subscription ($jobId: ID!) { jobProgress(jobId: $jobId) { state } }';
    const random = toGlobalId('Job', randomUUID(), randomUUID());
    const answers = await Promise.all(
      [foreign, random].map(async (id) =>
        subscribe(query, { jobId: id }, secret)
          .next()
          .catch((error: unknown) => error),
      ),
    );
    const shown = answers.map((answer) => JSON.stringify(answer).replace(/"requestId":"[^"]*"/, ''));
    expect(shown[0]).toContain('NOT_FOUND');
    expect(shown[0]).toBe(shown[1]);
  });

  it('holds subscriptions to the limits that queries have', async () => {
    const aliases = Array.from({ length: 60 }, (_, i) => `a${i}: cursor`).join(' ');
    const answer = await subscribe(`subscription { events { ${aliases} } }`, {})
      .next()
      .catch((error: unknown) => error);
    expect(JSON.stringify(answer)).toContain('COST_EXCEEDED');
  });

  it('takes no connection without a valid token', async () => {
    const answer = await subscribe('subscription { events { cursor } }', {}, 'hf_live_nothing')
      .next()
      .catch((error: unknown) => error);
    expect(answer).toMatchObject({ code: 4403 });
  });
});
