import type { RowName } from './side.ts';

/** What must hold: our figure is at most so many times the peer's. */
export interface Floor {
  readonly row: RowName;
  readonly figure: 'seconds' | 'bytesAdded';
  readonly against: { readonly restic: number; readonly borg: number };
}

export const FLOORS: readonly Floor[] = [
  { row: 'full', figure: 'seconds', against: { restic: 1 / 2.2, borg: 1 / 2.3 } },
  { row: 'full', figure: 'bytesAdded', against: { restic: 1.08, borg: 0.8 } },
  { row: 'second', figure: 'bytesAdded', against: { restic: 0.85, borg: 0.7 } },
  { row: 'uniform', figure: 'seconds', against: { restic: 0.12, borg: 0.06 } },
  { row: 'uniform', figure: 'bytesAdded', against: { restic: 0.35, borg: 0.15 } },
  { row: 'heavy', figure: 'bytesAdded', against: { restic: 0.9, borg: 0.4 } },
  { row: 'light', figure: 'bytesAdded', against: { restic: 0.7, borg: 0.17 } },
  { row: 'verify tags', figure: 'seconds', against: { restic: 1 / 8, borg: 1 / 20 } },
  { row: 'verify deep', figure: 'seconds', against: { restic: 1 / 1.4, borg: 1 / 3.5 } },
  { row: 'restore', figure: 'seconds', against: { restic: 1 / 2.2, borg: 1 / 2.7 } },
];

/** Two workers; a vault of this size has so few chunks that their bits don't show. */
export const MEMORY_CEILING_BYTES = 450e6;
