import type { Measured } from './run-measured.ts';

/** What is measured, in the order in which it is done; each side does what it has. */
export const ROWS = [
  'full',
  'uniform',
  'heavy',
  'light',
  'second',
  'verify tags',
  'verify deep',
  'restore',
  'delete + collect',
] as const;
export type RowName = (typeof ROWS)[number];

export interface RowMeasure extends Measured {
  /** In the repository, before and after. */
  readonly bytesAdded: number;
  readonly bytesStored: number;
}

/** One backup program at work on one repository, each step as a process of its own. */
export interface Side {
  readonly name: string;
  /** Makes an empty repository with encryption on; not measured. */
  create(repository: string): Promise<void>;
  /** Measures a step; null where this program has no such thing. */
  run(row: RowName, repository: string): Promise<Measured | null>;
  /** Restores and compares byte for byte with the image. */
  isRestored(repository: string, image: string): Promise<boolean>;
}
