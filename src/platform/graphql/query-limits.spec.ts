import { Kind, parse, type FragmentDefinitionNode, type OperationDefinitionNode } from 'graphql';
import { describe, expect, it } from 'vitest';
import { judgeQuery, QUERY_LIMITS } from './query-limits.ts';

function judge(text: string, variables: Record<string, unknown> = {}): number {
  const { definitions } = parse(text);
  const operation = definitions.find(({ kind }) => kind === Kind.OPERATION_DEFINITION) as OperationDefinitionNode;
  const fragments = definitions.filter((one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION);
  return judgeQuery(operation, { variables, fragments: new Map(fragments.map((one) => [one.name.value, one])) })
    .requested;
}

/** Fragments that each spread the next one twice: 2^n selections in n lines. */
function doubling(times: number): string {
  return Array.from({ length: times }, (_, i) => `fragment f${i} on Query { ...f${i + 1} ...f${i + 1} }`).join(' ');
}

describe('the limits of a query', () => {
  it('multiplies pages within pages, also through variables and fragments', () => {
    expect(judge('{ viewer { tenantId } }')).toBe(1);
    expect(judge('{ tenants(first: 10) { edges { node { name } } } }')).toBe(1 + 10 + 10);
    const nested = `query ($n: Int) { tenants(first: $n) { ...page } }
      fragment page on TenantConnection { edges { node { children(first: 5) { edges { cursor } } } } }`;
    expect(judge(nested, { n: 10 })).toBe(1 + 10 + 10 + 10 + 50);
  });

  it('counts a page whose size is a variable left to its default, or stands beside an empty one', () => {
    const page = '{ edges { node { name } } }';
    expect(judge(`query ($n: Int = 10) { tenants(first: $n) ${page} }`)).toBe(1 + 10 + 10);
    expect(judge(`query ($n: Int = 10) { tenants(first: $n) ${page} }`, { n: 5 })).toBe(1 + 5 + 5);
    expect(judge(`{ tenants(first: null, last: 10) ${page} }`)).toBe(1 + 10 + 10);
  });

  it.each([
    ['cost', '{ a(first: 100) { b(first: 100) { c(first: 100) { d { e } } } } }'],
    ['depth', `{ ${'a { '.repeat(QUERY_LIMITS.depth)} b ${'}'.repeat(QUERY_LIMITS.depth)} }`],
    ['rootFields', `{ ${Array.from({ length: QUERY_LIMITS.rootFields + 1 }, (_, i) => `f${i}`).join(' ')} }`],
    ['selections', `{ ...f0 } ${doubling(24)} fragment f24 on Query { __typename }`],
    ['aliases', `{ a { ${Array.from({ length: QUERY_LIMITS.aliases + 1 }, (_, i) => `x${i}: id`).join(' ')} } }`],
  ])('names the limit %s', (limit, text) => {
    expect(() => judge(text)).toThrow(
      expect.objectContaining({ code: 'COST_EXCEEDED', data: { limit, most: expect.any(Number) } }),
    );
  });

  it('lets introspection through', () => {
    expect(judge('{ __schema { types { fields { type { ofType { ofType { name } } } } } } }')).toBe(0);
  });
});
