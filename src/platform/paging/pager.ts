import { Injectable } from '@nestjs/common';
import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import type { Connection } from './connection.ts';
import { CursorCodec } from './cursor-codec.ts';
import type { PageArgs } from './page-args.ts';

export interface Sort {
  /** Alias and column as SQL says them, for example `site.id`. */
  readonly column: string;
  /** The SQL type that a cursor's text is cast back to. */
  readonly type: 'uuid' | 'text' | 'timestamptz' | 'bigint';
}

export interface PageSpec {
  /** Names tenant, list, filter and sort: the cursor is good for nothing else. */
  readonly list: string;
  /** All in one direction; the last one is unique. */
  readonly sort: readonly Sort[];
  readonly direction: 'ASC' | 'DESC';
}

/** Turns a filtered query into one page of a connection, by keyset. */
@Injectable()
export class Pager {
  constructor(private readonly cursors: CursorCodec) {}

  async page<Row extends ObjectLiteral>(
    query: SelectQueryBuilder<Row>,
    { list, sort, direction }: PageSpec,
    args: PageArgs,
  ): Promise<Connection<Row>> {
    const backwards = args.last !== undefined;
    const size = args.first ?? args.last ?? 0;
    const cursor = args.after ?? args.before;
    const descending = (direction === 'DESC') !== backwards;
    if (cursor !== undefined) {
      const values = this.cursors.decode(cursor, list);
      const columns = sort.map(({ column }) => column).join(', ');
      const bounds = sort.map(({ type }, i) => `:cursor${i}::${type}`).join(', ');
      query.andWhere(`(${columns}) ${descending ? '<' : '>'} (${bounds})`);
      query.setParameters(Object.fromEntries(values.map((value, i) => [`cursor${i}`, value])));
    }
    sort.forEach(({ column }, i) => {
      query.addSelect(`${column}::text`, `cursor_${i}`);
      query.addOrderBy(column, descending ? 'DESC' : 'ASC');
    });
    query.limit(size + 1);
    const { entities, raw } = await query.getRawAndEntities<Record<string, string>>();
    const edges = entities.slice(0, size).map((node, row) => {
      const values = sort.map((_, i) => raw[row]?.[`cursor_${i}`] ?? '');
      return { node, cursor: this.cursors.encode(values, list) };
    });
    return toConnection(edges, { backwards, more: entities.length > size, resumed: cursor !== undefined });
  }
}

function toConnection<Row>(
  edges: { node: Row; cursor: string }[],
  { backwards, more, resumed }: { backwards: boolean; more: boolean; resumed: boolean },
): Connection<Row> {
  const ordered = backwards ? edges.toReversed() : edges;
  return {
    edges: ordered,
    pageInfo: {
      hasNextPage: backwards ? resumed : more,
      hasPreviousPage: backwards ? more : resumed,
      startCursor: ordered[0]?.cursor ?? null,
      endCursor: ordered.at(-1)?.cursor ?? null,
    },
  };
}
