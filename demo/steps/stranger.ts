import { randomBytes } from 'node:crypto';
import type { GraphqlClient } from '../clients/graphql.ts';
import { type Account, mustHold } from '../story.ts';

/** One kind of thing: its field in GraphQL, its path in REST. */
interface Door {
  readonly field: string;
  readonly path: string;
}

const DOORS: Readonly<Record<string, Door>> = {
  ten: { field: 'tenant', path: 'tenants' },
  tok: { field: 'apiToken', path: 'tokens' },
  site: { field: 'site', path: 'sites' },
  pool: { field: 'pool', path: 'pools' },
  pvm: { field: 'poolVm', path: 'pool-vms' },
  vm: { field: 'vm', path: 'vms' },
  pgr: { field: 'poolGrant', path: 'pool-grants' },
  stg: { field: 'storageTarget', path: 'storage-targets' },
  sgr: { field: 'storageGrant', path: 'storage-grants' },
  vlt: { field: 'vault', path: 'vaults' },
  job: { field: 'job', path: 'jobs' },
  rp: { field: 'restorePoint', path: 'restore-points' },
  plan: { field: 'replicationPlan', path: 'replication-plans' },
  whe: { field: 'webhookEndpoint', path: 'webhook-endpoints' },
};

/** Ids of everything that the given credentials can list: what a stranger would love to read. */
export async function collectIds(clients: readonly GraphqlClient[]): Promise<readonly string[]> {
  const ids = new Set<string>();
  const lists = [
    'tenants',
    'sites',
    'pools',
    'vms',
    'poolGrants',
    'storageTargets',
    'storageGrants',
    'vaults',
    'jobs',
    'restorePoints',
    'replicationPlans',
    'webhookEndpoints',
  ];
  for (const client of clients) {
    const asked = lists.map((list) => `${list}(first: 100) { edges { node { id } } }`).join(' ');
    const found = await client.query<Record<string, { edges: { node: { id: string } }[] }>>(`{ ${asked} }`);
    Object.values(found).forEach(({ edges }) => edges.forEach(({ node }) => ids.add(node.id)));
    const { pools } = await client.query<{
      pools: { edges: { node: { poolVms: { edges: { node: { id: string } }[] } } }[] };
    }>('{ pools(first: 20) { edges { node { poolVms(first: 20) { edges { node { id } } } } } } }');
    pools.edges.forEach(({ node }) => node.poolVms.edges.forEach((guest) => ids.add(guest.node.id)));
  }
  return [...ids];
}

/** The other customer asks for all of it, every way there is. The answers are those to ids that never existed. */
export async function beStrange(
  stranger: GraphqlClient,
  { wanted, own }: { readonly wanted: readonly string[]; readonly own: readonly string[] },
  account: Account,
): Promise<void> {
  const foreign = wanted.filter((id) => !own.includes(id));
  let compared = 0;
  for (const id of foreign) {
    for (const ask of waysTo(id)) {
      const real = await answer(stranger, id, ask);
      const random = await answer(stranger, randomIdLike(id), ask);
      mustHold(real === random, `Zenith learns nothing from ${ask.name} with ${id}: ${real} against ${random}`);
      mustHold(!real.includes('"id"'), `${ask.name} with ${id} gave nothing away`);
      compared += 1;
    }
  }
  mustHold(foreign.length >= 10, 'there was something to be curious about');
  account.detail = `${foreign.length} ids of others, ${compared} requests: each answered, byte for byte, as for a random id`;
}

interface Ask {
  readonly name: string;
  send(client: GraphqlClient, id: string): Promise<Response>;
}

function waysTo(id: string): readonly Ask[] {
  const door = DOORS[id.slice(0, id.indexOf('_'))];
  const node: Ask = {
    name: 'node',
    send: async (client, asked) => await client.send('query ($id: ID!) { node(id: $id) { id } }', { id: asked }),
  };
  if (door === undefined) {
    return [node];
  }
  const { field, path } = door;
  const typed: Ask = {
    name: field,
    send: async (client, asked) => await client.send(`query ($id: ID!) { ${field}(id: $id) { id } }`, { id: asked }),
  };
  const rest: Ask = {
    name: `GET /v1/${path}`,
    send: async (client, asked) => await client.request('GET', `/v1/${path}/${asked}`),
  };
  return [node, typed, rest];
}

/** When, and how much of the allowance is left. */
const VARYING = /^(date|ratelimit.*|keep-alive|connection)$/;

/** Status, headers and body as one text. */
async function answer(client: GraphqlClient, id: string, ask: Ask): Promise<string> {
  const response = await ask.send(client, id);
  const headers = [...response.headers].filter(([name]) => !VARYING.test(name));
  return JSON.stringify([response.status, headers, await response.text()]);
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** An id as Holdfast makes them, of nothing: 16 bytes of object, 16 of tenant. A tenant is its own, so there both are one. */
function randomIdLike(id: string): string {
  const [prefix = ''] = id.split('_');
  const object = randomBytes(16);
  const tenant = prefix === 'ten' ? object : randomBytes(16);
  let value = BigInt(`0x${Buffer.concat([object, tenant]).toString('hex')}`);
  let payload = '';
  for (let digit = 0; digit < 52; digit += 1) {
    payload = `${ALPHABET[Number(value & 31n)] ?? ''}${payload}`;
    value >>= 5n;
  }
  return `${prefix}_${payload}`;
}
