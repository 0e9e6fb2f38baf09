import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Announce } from '../../../scripts/peers/peer-program.ts';
import { ROWS, type RowMeasure, type RowName, type Side } from './side.ts';
import type { Workshop } from './workshop.ts';

/** What these cost in time says little that the others don't: bytes are the same in every round. */
const FIRST_ROUNDS_ONLY: ReadonlySet<RowName> = new Set(['heavy', 'second']);
/** Of rounds, one in so many has all rows. */
const ALL_ROWS_EVERY = 3;

/** By side and row, one for each round in which it was measured. */
export type Results = ReadonlyMap<string, ReadonlyMap<RowName, readonly RowMeasure[]>>;

export interface RoundOptions {
  readonly rounds: number;
  readonly beforeRound: () => Promise<void>;
  readonly announce: Announce;
}

/** Every side does one step, then every side the next: what else the machine does meets all of them alike. */
export async function runRounds(
  sides: readonly Side[],
  shop: Workshop,
  { rounds, beforeRound, announce }: RoundOptions,
): Promise<Results> {
  const results = new Map(sides.map((side) => [side.name, new Map<RowName, RowMeasure[]>()]));
  for (let round = 0; round < rounds; round += 1) {
    const order = sides.map((_, i) => sides[(i + round) % sides.length]).filter((side) => side !== undefined);
    await beforeRound();
    await createAll(order, shop, round);
    for (const row of ROWS.filter((name) => round % ALL_ROWS_EVERY === 0 || !FIRST_ROUNDS_ONLY.has(name))) {
      for (const side of order) {
        const measured = await measure(side, row, shop, round);
        const ofSide = results.get(side.name);
        ofSide?.set(row, [...(ofSide.get(row) ?? []), ...measured]);
        announce(`round ${round + 1}: ${row}, ${side.name}: ${measured[0]?.seconds.toFixed(2) ?? '–'} s`);
      }
      if (row === 'restore' && round === 0) {
        await compareAll(order, shop, round);
      }
    }
    for (const side of order) {
      await removeAll(shop.repository(side.name, round));
    }
  }
  return results;
}

async function createAll(sides: readonly Side[], shop: Workshop, round: number): Promise<void> {
  for (const side of sides) {
    const repository = shop.repository(side.name, round);
    await removeAll(repository);
    await mkdir(dirname(repository), { recursive: true });
    await side.create(repository);
  }
}

/** A repository and what lies beside it: caches, keys. */
async function removeAll(repository: string): Promise<void> {
  for (const suffix of ['', '.cache', '.base', '.keys']) {
    await rm(`${repository}${suffix}`, { recursive: true, force: true });
  }
}

const IMAGE_OF: Partial<Record<RowName, string>> = {
  full: 'base',
  uniform: 'uniform',
  heavy: 'heavy',
  light: 'light',
  second: 'second',
};

async function measure(side: Side, row: RowName, shop: Workshop, round: number): Promise<RowMeasure[]> {
  const repository = shop.repository(side.name, round);
  const image = IMAGE_OF[row];
  if (image !== undefined) {
    await shop.insert(image);
  }
  await shop.warm(repository);
  const before = await shop.storedBytes(repository);
  const measured = await side.run(row, repository);
  const after = await shop.storedBytes(repository);
  return measured === null ? [] : [{ ...measured, bytesAdded: after - before, bytesStored: after }];
}

async function compareAll(sides: readonly Side[], shop: Workshop, round: number): Promise<void> {
  for (const side of sides) {
    if (!(await side.isRestored(shop.repository(side.name, round), shop.imagePath('light')))) {
      throw new Error(`${side.name} restored another disk than was backed up`);
    }
  }
}
