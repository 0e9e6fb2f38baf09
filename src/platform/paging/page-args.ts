import { z } from 'zod';
import { optional } from '../wire/fields.ts';

export const MAX_PAGE = 100;
const DEFAULT_PAGE = 50;
const size = z.int().min(1).max(MAX_PAGE);
const cursor = z.string().max(2000);

/** Relay's arguments: either `first` and perhaps `after`, or `last` and perhaps `before`. */
export interface PageArgs {
  readonly first?: number | undefined;
  readonly after?: string | undefined;
  readonly last?: number | undefined;
  readonly before?: string | undefined;
}

/** The arguments of a GraphQL list: a page's, and the list's own. */
export function listArgs<Shape extends z.ZodRawShape>(own: Shape) {
  return z
    .strictObject({
      ...own,
      first: optional(size),
      after: optional(cursor),
      last: optional(size),
      before: optional(cursor),
    })
    .superRefine(checkPage);
}

/** The query string of a REST list: the same as text, with 50 where no size is given. */
export function listQuery<Shape extends z.ZodRawShape>(own: Shape) {
  const number = z.coerce.number().pipe(size).optional();
  return z
    .preprocess(
      (query) => (hasSize(query) ? query : { ...(query as object), first: DEFAULT_PAGE }),
      z.strictObject({ ...own, first: number, after: cursor.optional(), last: number, before: cursor.optional() }),
    )
    .superRefine(checkPage);
}

function hasSize(query: unknown): boolean {
  return typeof query === 'object' && query !== null && ('first' in query || 'last' in query);
}

function checkPage(args: unknown, context: z.RefinementCtx): void {
  const { first, after, last, before } = args as PageArgs;
  if ((first === undefined) === (last === undefined)) {
    context.addIssue(`give either first or last, at most ${MAX_PAGE}`);
  } else if ((first === undefined ? after : before) !== undefined) {
    context.addIssue('after goes with first, before goes with last');
  }
}
