import { z } from 'zod';
import { fromGlobalId, type NodeType } from '../../kernel/global-id.ts';

/** A global id of one type. Anything else answers NOT_FOUND, exactly as an unknown id does. */
export function globalId<T extends NodeType>(type: T) {
  return z
    .string()
    .transform((text) => fromGlobalId(type, text))
    .describe(`Global id of a ${type}.`)
    .meta({ idOf: type });
}

/** Control characters, line ends, and what turns the direction of reading: names stand in headers, mails and lists. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

/** 1 to 200 printable characters, no blanks around. */
export const nameField = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .refine((text) => !UNPRINTABLE.test(text), 'control characters and line ends are refused');

/** Required on create, start and delete: same key and same request replays the outcome. */
export const idempotencyKeyField = z.string().min(1, 'an idempotency key is required').max(255);

/** The version that the client has read; the change is refused when the object has moved on. */
export const expectedVersionField = z.int().positive();

/** GraphQL sends null where a field was left out on purpose. */
export function optional<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined);
}
