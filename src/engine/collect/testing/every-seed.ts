import { seedIdentifiers } from './seeded-identifiers.ts';

/** How many orders of identifiers: `test/engine/collection-model.long.spec.ts` sets this. */
export const SEEDS = Number(process.env['HOLDFAST_SCHEDULE_SEEDS'] ?? 1);

/** Runs with each order of identifiers; how many runs that made. */
export async function withEverySeed(run: (seed: number) => Promise<number>): Promise<number> {
  let runs = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    seedIdentifiers(seed);
    runs += await run(seed);
  }
  return runs;
}
