import type { Patience } from '../../../workflows/contract/index.ts';

/** From configuration: how long jobs keep trying what is unavailable. */
export class JobPatience {
  constructor(readonly value: Patience) {}
}
