import type { ZodType } from 'zod';
import { AppError } from '../../kernel/errors.ts';

/** Checks what came from outside; BAD_INPUT lists every mistake at once, each with its path. */
export function parseInput<T>(schema: ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (!result.success) {
    throw badInput(result.error.issues);
  }
  const unstorable = textsOf(result.data, []).filter(({ text }) => text.includes('\0') || !text.isWellFormed());
  if (unstorable.length > 0) {
    throw badInput(unstorable.map(({ path }) => ({ path, message: 'holds a character that is no text' })));
  }
  return result.data;
}

interface Text {
  readonly path: readonly string[];
  readonly text: string;
}

/** Looks at what the schema let through, so it goes no deeper than the schema does. */
function textsOf(value: unknown, path: readonly string[]): Text[] {
  if (typeof value === 'string') {
    return [{ path, text: value }];
  }
  return typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, item]) => textsOf(item, [...path, key]))
    : [];
}

function badInput(issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]): AppError {
  const paths = issues.map(({ path }) => path.join('.'));
  const mistakes = issues.map(({ message }, i) => (paths[i] === '' ? message : `${paths[i]}: ${message}`));
  return new AppError('BAD_INPUT', mistakes.join('; '), { data: { paths } });
}
