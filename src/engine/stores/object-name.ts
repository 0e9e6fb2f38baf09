import { posix } from 'node:path';
import { AppError } from '../../kernel/errors.ts';

/** Throws BAD_INPUT unless `name` is one that every kind of store can hold, below its own root. */
export function requireObjectName(name: string): void {
  const leaves = name.startsWith('/') || name.startsWith('.') || posix.normalize(name) !== name;
  if (name === '' || name.endsWith('/') || leaves) {
    throw new AppError('BAD_INPUT', `Not a name for an object: ${JSON.stringify(name)}.`);
  }
}
