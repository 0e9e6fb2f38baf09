import { basename, dirname, join } from 'node:path';
import { isUuid } from '../../kernel/ids.ts';

export interface KeyPlace {
  /** With a folder for each tenant. */
  readonly folder: string;
  /** Only this tenant's keys are meant; null: all that there are. */
  readonly only: string | null;
}

/** Where tenants' folders may lie: what was given may be the folder above, their own, or that of the one tenant meant. */
export function keyPlaces(keys: string): KeyPlace[] {
  const own = isUuid(basename(keys)) ? [{ folder: dirname(keys), only: basename(keys) }] : [];
  return [{ folder: keys, only: null }, { folder: join(keys, 'tenants'), only: null }, ...own];
}
