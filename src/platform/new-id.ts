import { v7 } from 'uuid';
import type { Brand } from '../kernel/brand.ts';
import { toId } from '../kernel/ids.ts';

/** A new row's id: a UUIDv7, so that ids sort by age. */
export function newId<T extends Brand<string, string>>(): T {
  return toId<T>(v7());
}
