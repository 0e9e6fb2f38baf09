import { posix } from 'node:path';
import { AppError } from '../../kernel/errors.ts';

/** Whether `name` is one that every kind of store can hold, below its own root. */
export function isObjectName(name: string): boolean {
  const leaves = name.startsWith('/') || name.startsWith('.') || posix.normalize(name) !== name;
  return name !== '' && !name.endsWith('/') && !leaves;
}

/** Throws BAD_INPUT unless it is one. */
export function requireObjectName(name: string): void {
  if (!isObjectName(name)) {
    throw new AppError('BAD_INPUT', `Not a name for an object: ${JSON.stringify(name)}.`);
  }
}

/** The folder that a name lies in, without a `/` at its end; empty for the root. */
export function folderOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')));
}
