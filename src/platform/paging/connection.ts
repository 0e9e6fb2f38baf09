import { z } from 'zod';

export interface PageInfo {
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly startCursor: string | null;
  readonly endCursor: string | null;
}

/** A Relay connection. */
export interface Connection<T> {
  readonly edges: readonly { readonly cursor: string; readonly node: T }[];
  readonly pageInfo: PageInfo;
}

export const pageInfoView = z
  .object({
    hasNextPage: z.boolean(),
    hasPreviousPage: z.boolean(),
    startCursor: z.string().nullable(),
    endCursor: z.string().nullable(),
  })
  .meta({ id: 'PageInfo' });

export function mapConnection<A, B>(connection: Connection<A>, map: (node: A) => B): Connection<B> {
  return {
    edges: connection.edges.map(({ cursor, node }) => ({ cursor, node: map(node) })),
    pageInfo: connection.pageInfo,
  };
}

/** The same page as REST shows it. */
export interface ListBody<T> {
  readonly items: readonly T[];
  readonly pageInfo: PageInfo;
}

export function toListBody<T>({ edges, pageInfo }: Connection<T>): ListBody<T> {
  return { items: edges.map(({ node }) => node), pageInfo };
}
