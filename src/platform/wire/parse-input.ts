import { ZodError, type ZodType } from 'zod';
import { AppError } from '../../kernel/errors.ts';

/** Checks what came from outside; BAD_INPUT lists every mistake at once, each with its path. */
export function parseInput<T>(schema: ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) {
    return result.data;
  }
  throw badInput(result.error);
}

function badInput(error: ZodError): AppError {
  const mistakes = error.issues.map((issue) => {
    const path = issue.path.join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  return new AppError('BAD_INPUT', mistakes.join('; '), {
    data: { paths: error.issues.map((issue) => issue.path.join('.')) },
  });
}
