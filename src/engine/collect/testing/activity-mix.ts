import { deletePoint, extendRetention, placeHold, releaseHold } from './custody-actors.ts';
import { backUp, collect, endAnother, raiseEpoch, restorePoint, thinOut, verify } from './model-actors.ts';
import type { Activity } from './model-world.ts';
import type { Random } from './random.ts';

type Weighed = readonly [number, Activity];

const USUAL: readonly Weighed[] = [
  [10, backUp],
  [1, thinOut],
  [5, deletePoint],
  [5, collect],
  [3, restorePoint],
  [1, verify],
  [1, endAnother],
  [2, placeHold],
  [1.5, releaseHold],
  [1, extendRetention],
  [0.1, raiseEpoch],
];

/** What one run does more often, and what hardly ever: in an even mix, what is rare never meets what is rare. */
const FACTORS = [0.1, 1, 1, 5];

/** How often who begins something begins what, in one run. */
export class ActivityMix {
  readonly #random: Random;
  readonly #weighed: readonly Weighed[];

  constructor(random: Random) {
    this.#random = random;
    this.#weighed = USUAL.map(([weight, activity]) => [weight * (random.pick(FACTORS) ?? 1), activity]);
  }

  pick(): Activity {
    let left = this.#random.next() * this.#weighed.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, activity] of this.#weighed) {
      left -= weight;
      if (left < 0) {
        return activity;
      }
    }
    return backUp;
  }
}
