import { z } from 'zod';
import type { NodeType } from '../../kernel/global-id.ts';

/** What clients see of an object: the one description that REST's OpenAPI is made from and the SDL is checked against. */
const VIEWS = new Map<string, z.ZodObject>();

export function defineView<Name extends string, Shape extends z.ZodRawShape>(name: Name, shape: Shape) {
  const view = z.object({ __typename: z.literal(name), ...shape }).meta({ id: name });
  VIEWS.set(name, view);
  return view;
}

export function viewsByName(): ReadonlyMap<string, z.ZodObject> {
  return VIEWS;
}

/** A whole number beyond 2^53 is carried as decimal text. */
export const bigIntView = z
  .string()
  .regex(/^-?\d+$/)
  .describe('Whole number as decimal text.');

export function idView(type: NodeType) {
  return z.string().describe(`Global id of a ${type}.`);
}
