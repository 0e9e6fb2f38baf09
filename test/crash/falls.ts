import type { Coin, Fall } from './model-disk.ts';
import type { Random } from './random.ts';

const ALL_OF = 64;

/**
 * How the coins may fall. Few: every way. Many: all old, all new, each one by itself against all others, and some at
 * random.
 */
export function* fallsOf(coins: readonly Coin[], random: Random, atRandom: number): Iterable<Fall> {
  yield { sides: new Map(), otherwise: 'oldest' };
  yield { sides: new Map(), otherwise: 'now' };
  if (coins.reduce((product, { sides }) => product * sides, 1) <= ALL_OF) {
    yield* allOf(coins);
    return;
  }
  for (const { key, sides } of coins) {
    for (let side = 0; side < sides; side += 1) {
      yield { sides: new Map([[key, side]]), otherwise: 'oldest' };
      yield { sides: new Map([[key, side]]), otherwise: 'now' };
    }
  }
  for (let i = 0; i < atRandom; i += 1) {
    yield { sides: new Map(coins.map(({ key, sides }) => [key, random.int(sides)])), otherwise: 'now' };
  }
}

function* allOf(coins: readonly Coin[]): Iterable<Fall> {
  const [first, ...rest] = coins;
  if (first === undefined) {
    yield { sides: new Map(), otherwise: 'now' };
    return;
  }
  for (const fall of allOf(rest)) {
    for (let side = 0; side < first.sides; side += 1) {
      yield { sides: new Map([...fall.sides, [first.key, side]]), otherwise: 'now' };
    }
  }
}
