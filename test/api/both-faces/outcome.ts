import type { GraphqlAnswer, RestAnswer } from '../../support/test-api.ts';

/** What one face answered: an error as its client sees it, or a value. */
export type Outcome =
  | { readonly error: Readonly<Record<string, unknown>> }
  | { readonly value: unknown; readonly error?: undefined };

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const GLOBAL_ID = /\b([a-z]{2,4})_[0-9a-hjkmnp-tv-z]{52}\b/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const SECRET = /\b(hf_live_|whsec_)[\w+/=-]+/g;
/** Of a request and of the way it is asked, not of what was asked for. */
const OF_THE_REQUEST = new Set(['type', 'title', 'detail', 'status', 'requestId', 'retryAfter', 'hint', 'message']);

export function restOutcome({ status, body }: RestAnswer): Outcome {
  if (status < 400) {
    return { value: body === '' ? null : body };
  }
  const problem = body as Record<string, unknown>;
  return { error: errorOf(problem['detail'], problem['hint'], problem) };
}

export function graphqlOutcome(field: string, { body }: GraphqlAnswer): Outcome {
  const [error] = body.errors ?? [];
  if (error !== undefined) {
    return { error: errorOf(error.message, error.extensions['hint'], error.extensions) };
  }
  const value = body.data?.[field] as Record<string, unknown> | null | undefined;
  const userErrors = value?.['userErrors'] as readonly Record<string, unknown>[] | undefined;
  const [first] = userErrors ?? [];
  return first === undefined
    ? { value: unwrapped(value) }
    : { error: { code: first['code'], message: first['message'] } };
}

function errorOf(message: unknown, hint: unknown, rest: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const others = Object.entries(rest).filter(([name]) => !OF_THE_REQUEST.has(name));
  return { message, hint, ...Object.fromEntries(others) };
}

interface Edges {
  readonly edges: readonly { readonly node: unknown }[];
  readonly pageInfo: unknown;
}

/** A connection as REST sends pages, a list as REST sends lists; a payload with one thing as that thing. */
function unwrapped(value: unknown): unknown {
  if (Array.isArray(value)) {
    return { items: value };
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if ('edges' in value && 'pageInfo' in value) {
    const { edges, pageInfo } = value as Edges;
    return { items: edges.map(({ node }) => node), pageInfo };
  }
  if (!('userErrors' in value)) {
    return value;
  }
  const { userErrors: _none, ...things } = value;
  const [only, ...others] = Object.values(things);
  return others.length === 0 ? only : things;
}

/** A userError says less than a problem: what both say is compared. */
export function inCommon(one: Outcome, other: Outcome): readonly [unknown, unknown] {
  if (one.error === undefined || other.error === undefined) {
    return [one, other];
  }
  const keys = Object.keys(one.error).filter((key) => key in (other.error ?? {}));
  const only = 'kind' in one.error && 'kind' in other.error ? Object.keys({ ...one.error, ...other.error }) : keys;
  const pick = (error: Readonly<Record<string, unknown>>): unknown =>
    Object.fromEntries(only.map((key) => [key, error[key]]));
  return [{ error: pick(one.error) }, { error: pick(other.error) }];
}

/** The same answer from another tenant's objects: ids, times and secrets as what they are instead of which. */
export function anonymous(value: unknown): unknown {
  const text = JSON.stringify(value) ?? 'null';
  return JSON.parse(
    text
      .replaceAll(GLOBAL_ID, '<$1>')
      .replaceAll(UUID, '<uuid>')
      .replaceAll(TIME, '<time>')
      .replaceAll(SECRET, '<secret>'),
  );
}

/** Sealed anew each time they are made. */
const CURSORS = new Set(['startCursor', 'endCursor']);

/** Where the REST answer differs from GraphQL's: paths. GraphQL may say null for what REST leaves out. */
export function differences(rest: unknown, graphql: unknown, at = ''): string[] {
  if (Array.isArray(rest) && Array.isArray(graphql)) {
    return rest.length === graphql.length
      ? rest.flatMap((item, i) => differences(item, graphql[i], `${at}[${i}]`))
      : [`${at}: ${rest.length} items in REST, ${graphql.length} in GraphQL`];
  }
  if (isObject(rest) && isObject(graphql)) {
    const names = new Set([...Object.keys(rest), ...Object.keys(graphql)]);
    return [...names].flatMap((name) => {
      const pair = [rest[name] ?? null, graphql[name] ?? null].map((value) =>
        CURSORS.has(name) && value !== null ? '<cursor>' : value,
      );
      return differences(pair[0], pair[1], `${at}.${name}`);
    });
  }
  return JSON.stringify(rest) === JSON.stringify(graphql)
    ? []
    : [`${at}: REST ${JSON.stringify(rest)}, GraphQL ${JSON.stringify(graphql)}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
