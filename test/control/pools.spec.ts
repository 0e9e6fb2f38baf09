import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FOUND_POOL } from './found.ts';
import { House, keyOf, type UserError } from './house.ts';
import { POOL, PoolDesk } from './pool-desk.ts';

const REGISTER = `mutation ($input: RegisterPoolInput!) { registerPool(input: $input) {
  pool { id name url username state version pinnedCertificates { address } capabilities { nbd } }
  job { id kind state poolId } userErrors { code path } } }`;
const UPDATE = `mutation ($input: UpdatePoolInput!) { updatePool(input: $input) {
  pool { name url username version } userErrors { code path } } }`;
const REFRESH = `mutation ($input: RefreshPoolInput!) { refreshPool(input: $input) {
  job { id kind state poolId } userErrors { code path } } }`;
const DELETE = `mutation ($input: DeletePoolInput!) { deletePool(input: $input) {
  deletedPoolId userErrors { code path } } }`;

interface Registered {
  readonly pool: { readonly id: string; readonly version: number } & Record<string, unknown>;
  readonly job: { readonly id: string } & Record<string, unknown>;
  readonly userErrors: readonly UserError[];
}

let house: House;
let desk: PoolDesk;
beforeAll(async () => {
  house = await House.build();
  desk = new PoolDesk(house);
});
afterAll(async () => {
  await house.stop();
});

async function register(key: string): Promise<Registered> {
  return await house.mutate<Registered>(house.provider.token, REGISTER, await desk.registration(key));
}

describe('registering a pool', () => {
  it('gives the pool and its job, once for one key, and never the password', async () => {
    const first = await register('Rack 1');
    expect(first).toEqual({
      pool: {
        id: expect.stringMatching(/^pool_/),
        name: 'Rack 1',
        url: 'https://10.0.0.5:8443',
        username: 'root',
        state: 'PENDING',
        version: 1,
        pinnedCertificates: [],
        capabilities: null,
      },
      job: { id: expect.stringMatching(/^job_/), kind: 'POOL_INVENTORY', state: 'QUEUED', poolId: first.pool.id },
      userErrors: [],
    });
    expect(await register('Rack 1')).toEqual(first);
    const rest = await house.api.rest(house.provider.token, 'GET', `/v1/pools/${first.pool.id}`);
    expect(rest).toMatchObject({ status: 200, body: { id: first.pool.id, state: 'PENDING' } });
    expect(JSON.stringify(rest.body)).not.toContain('correct horse');
    const stored = await house.api.sql<{ text: string }>(
      `select (select string_agg(s::text, '') from app.secret s) || (select string_agg(a::text, '') from app.audit_entry a)
        || (select string_agg(e::text, '') from app.event e) || (select string_agg(j::text, '') from app.job j) as text`,
    );
    expect(stored[0]?.text).toContain('Rack 1');
    expect(stored[0]?.text).not.toContain('correct horse');
    const opened = await desk.report(first.pool.id, async (pools, key) => await pools.openPool(key));
    expect(opened).toMatchObject({ username: 'root', password: 'correct horse', certificates: [] });
  });

  it('answers REST with 202, the pool, the job and where to look', async () => {
    const body = { ...(await desk.registration('Rack 2')), idempotencyKey: undefined };
    const made = await house.api.rest(house.provider.token, 'POST', '/v1/pools', {
      body,
      headers: { 'idempotency-key': 'rest' },
    });
    expect(made).toMatchObject({ status: 202, body: { pool: { name: 'Rack 2' }, job: { kind: 'POOL_INVENTORY' } } });
    const { job } = made.body as { readonly job: { readonly id: string } };
    expect(made.headers.get('location')).toBe(`/v1/jobs/${job.id}`);
  });

  it('refuses plain HTTP, and a site of somebody else as one that is not there', async () => {
    const input = { ...(await desk.registration('Rack 3')), url: 'http://10.0.0.5' };
    const plain = await house.api.graphql(house.provider.token, REGISTER, { input });
    expect(plain.body.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_INPUT' });
    const foreign = await house.api.graphql(house.acme.token, REGISTER, { input: await desk.registration('Rack 3') });
    expect(foreign.body.errors?.[0]).toMatchObject({ message: 'Site not found.', extensions: { code: 'NOT_FOUND' } });
  });
});

describe('a pool that is there already', () => {
  const probe = async (poolId: string, uuid: string): Promise<void> =>
    await desk.report(poolId, async (pools, key) => await pools.storeProbe(key, { ...FOUND_POOL, uuid }));
  const taken = { code: 'POOL_ALREADY_REGISTERED' };

  it('is refused at once by its address, naming the one that is there', async () => {
    const poolId = await house.addPool(house.provider, 'Original');
    const { url } = await desk.read(poolId);
    const input = { ...(await desk.registration('Copy')), url };
    const { body } = await house.api.rest(house.provider.token, 'POST', '/v1/pools', {
      body: { ...input, idempotencyKey: undefined },
      headers: { 'idempotency-key': 'copy' },
    });
    expect(body).toMatchObject({
      ...taken,
      detail: 'This tenant has the pool already, as Original.',
      data: { poolId },
    });
    const refused = { pool: null, userErrors: [{ ...taken, path: ['input', 'url'] }] };
    expect(await house.mutate(house.provider.token, REGISTER, input)).toMatchObject(refused);
    const other = await house.addPool(house.provider, 'Other');
    const move = { poolId: other, url, password: 'again' };
    expect(await house.mutate(house.provider.token, UPDATE, move)).toMatchObject(refused);
  });

  it('is refused by its UUID once it says who it is, and asked again stays itself', async () => {
    const first = await house.registerPool(house.provider, 'First');
    const second = await house.registerPool(house.provider, 'Second');
    await probe(first, 'twin');
    await probe(first, 'twin');
    await expect(probe(second, 'twin')).rejects.toMatchObject({ ...taken, message: expect.stringContaining('First') });
    const { id } = keyOf(second);
    await expect(house.api.sql(`update app.pool set xen_uuid = 'twin' where id = $1`, [id])).rejects.toMatchObject({
      constraint: 'pool_xen_uuid',
    });
  });

  it('is refused above a tenant that has it, without its name; beside and below such a tenant it is not', async () => {
    const customers = await house.registerPool(house.acme, 'Acme’s own');
    await probe(customers, 'shared');
    const neighbours = await house.registerPool(house.zenith, 'Zenith’s own');
    await probe(neighbours, 'shared');
    const providers = await house.registerPool(house.provider, 'Provider’s');
    const above = probe(providers, 'shared');
    await expect(above).rejects.toMatchObject({ ...taken, message: expect.not.stringContaining('own') });
    await probe(providers, 'provider’s');
    const below = await house.registerPool(house.acme, 'Below');
    await probe(below, 'provider’s');
  });

  it('of two that say so at the same moment one is refused', async () => {
    const pools = await Promise.all(
      ['A', 'B', 'C'].map(async (name) => await house.registerPool(house.provider, name)),
    );
    const settled = await Promise.allSettled(pools.map(async (poolId) => await probe(poolId, 'raced')));
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const one of settled) {
      expect(one.status === 'rejected' ? one.reason : taken).toMatchObject(taken);
    }
  });
});

describe('changing a pool', () => {
  it('replaces name, account and password, each by itself', async () => {
    const poolId = await house.addPool(house.provider, 'Before');
    const changed = await house.mutate(house.provider.token, UPDATE, {
      poolId,
      name: 'After',
      password: 'battery staple',
    });
    expect(changed).toEqual({
      pool: { name: 'After', url: (await desk.read(poolId))['url'], username: 'holdfast', version: 2 },
      userErrors: [],
    });
    const opened = await desk.report(poolId, async (pools, key) => await pools.openPool(key));
    expect(opened).toMatchObject({ username: 'holdfast', password: 'battery staple' });
    const late = await house.mutate(house.provider.token, UPDATE, { poolId, name: 'Late', expectedVersion: 1 });
    expect(late).toMatchObject({ pool: null, userErrors: [{ code: 'VERSION_CONFLICT' }] });
  });

  it('sends a stored password to no other address than the one it was given for', async () => {
    const poolId = await house.addPool(house.provider, 'Kept');
    const elsewhere = { poolId, url: 'collector.example', idempotencyKey: 'elsewhere' };
    const { body } = await house.api.graphql(house.provider.token, UPDATE, { input: elsewhere });
    expect(body.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_INPUT', data: { paths: ['password'] } });
    expect(await desk.read(poolId)).toMatchObject({ name: 'Kept' });
    const same = { poolId, url: (await desk.read(poolId))['url'], name: 'Same place' };
    expect(await house.mutate(house.provider.token, UPDATE, same)).toMatchObject({ pool: { name: 'Same place' } });
    const anew = { poolId, url: '10.0.0.6', password: 'entered anew' };
    expect(await house.mutate(house.provider.token, UPDATE, anew)).toMatchObject({ pool: { url: 'https://10.0.0.6' } });
  });

  it.each([
    ['127.0.0.1:5432'],
    ['2130706433'],
    ['169.254.169.254'],
    ['[::1]:7233'],
    ['[::ffff:127.0.0.1]'],
    ['[fe80::1]'],
    ['0.0.0.0'],
    ['localhost.'],
    ['pool.localhost'],
  ])('does not let a customer knock at the service’s own machines: %s', async (url) => {
    const refused = { code: 'BAD_INPUT', data: { paths: ['url'] } };
    const siteId = await house.addSite(house.acme);
    const input = { siteId, name: 'Probe', url, username: 'root', password: 'x', idempotencyKey: url };
    const { body } = await house.api.graphql(house.acme.token, REGISTER, { input });
    expect(body.errors?.[0]?.extensions).toMatchObject(refused);
    const poolId = await house.registerPool(house.acme, 'Honest');
    const moved = await house.api.graphql(house.acme.token, UPDATE, { input: { poolId, url, password: 'x' } });
    expect(moved.body.errors?.[0]?.extensions).toMatchObject(refused);
  });

  it('is refreshed by a job, once for one key', async () => {
    const poolId = await house.addPool(house.provider, 'Refreshed');
    const input = { poolId, idempotencyKey: 'refresh' };
    const first = await house.mutate<{ job: { id: string } }>(house.provider.token, REFRESH, input);
    expect(first).toMatchObject({ job: { kind: 'POOL_INVENTORY', state: 'QUEUED', poolId }, userErrors: [] });
    expect(await house.mutate(house.provider.token, REFRESH, input)).toEqual(first);
  });

  it('is deleted when no job works there: VMs released, grants ended, secret gone, jobs on record', async () => {
    const poolId = await house.addPool(house.provider, 'Doomed');
    await house.mutate(house.provider.token, REFRESH, { poolId });
    const busy = await house.mutate(house.provider.token, DELETE, { poolId });
    expect(busy).toEqual({ deletedPoolId: null, userErrors: [{ code: 'POOL_IN_USE', path: ['input', 'poolId'] }] });
    await house.endJobs(house.provider);
    const input = { poolId, idempotencyKey: 'delete' };
    const done = { deletedPoolId: poolId, userErrors: [] };
    expect(await house.mutate(house.provider.token, DELETE, input)).toEqual(done);
    expect(await house.mutate(house.provider.token, DELETE, input)).toEqual(done);
    const gone = await house.api.graphql(house.provider.token, POOL, { id: poolId });
    expect(gone.body.errors?.[0]).toMatchObject({ message: 'Pool not found.', extensions: { code: 'NOT_FOUND' } });
    const { id } = keyOf(poolId);
    const left = await house.api.sql(
      `select (select count(*)::int from app.secret where id = $1) as secrets,
              (select count(*)::int from app.pool_vm where pool_id = $1) as guests,
              (select count(*)::int from app.vm where pool_id = $1 and released_at is null) as held,
              (select count(*)::int from app.vm where pool_id = $1) as kept,
              (select count(*)::int from app.job where input ->> 'poolId' = $1::text and pool_id is null) as jobs`,
      [id],
    );
    expect(left).toEqual([{ secrets: 0, guests: 0, held: 0, kept: 2, jobs: 2 }]);
  });
});
