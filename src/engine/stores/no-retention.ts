import { AppError } from '../../kernel/errors.ts';
import type { PutOptions } from '../ports/store.ts';

/** A store that can't keep anybody from deleting must not take an object that was to be kept. */
export function requireNoRetention({ retainUntil }: PutOptions, place: string): void {
  if (retainUntil !== undefined) {
    throw new AppError('VAULT_NOT_IMMUTABLE', `${place} can’t keep objects from being deleted.`);
  }
}
