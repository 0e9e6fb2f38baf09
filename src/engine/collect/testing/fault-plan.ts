import { failedRequest } from './failed-request.ts';
import { FAULT_KINDS, READS, type Effect, type FaultKind } from './fault-kinds.ts';
import type { Random } from './random.ts';
import type { Operation } from './scheduled-store.ts';

/** How many requests begin a burst: there are far more reads than changes. */
const SHARE_OF_READS = 0.004;
const SHARE_OF_CHANGES = 0.04;
/** Read far less often than the rest, and what says whether anything may go. */
const DECIDING = /^(custody|points)\//;
/** A burst that meets no more requests of its own is over after so many of all. */
const LONGEST = 100;

interface Burst {
  readonly kind: FaultKind;
  /** Whom it meets: an object's name, or an actor; null: everybody. */
  readonly target: string | number | null;
  left: number;
  readonly until: number;
}

/** What a request meets in place of its answer. */
export interface Struck {
  /** As the store throws it. */
  readonly error: unknown;
  readonly effect: Effect;
}

export interface Faults {
  /** Asked of each request when it is to happen. Null where it is answered as ever. */
  strike(operation: Operation): Promise<Struck | null>;
}

/** Errors that stores have and that pass: single ones and short bursts, at random requests; the same for the same seed. */
export class FaultPlan implements Faults {
  readonly #random: Random;
  #requests = 0;
  #burst: Burst | null = null;

  constructor(random: Random) {
    this.#random = random;
  }

  async strike(operation: Operation): Promise<Struck | null> {
    this.#requests += 1;
    const burst = this.#current() ?? this.#begin(operation);
    if (burst === null || !meets(burst, operation)) {
      return null;
    }
    burst.left -= 1;
    const { fault, effects } = burst.kind;
    const error = await failedRequest(fault, operation.request, operation.name);
    return { error, effect: this.#random.pick(effects) ?? 'never' };
  }

  #current(): Burst | null {
    const burst = this.#burst;
    return burst !== null && burst.left > 0 && this.#requests < burst.until ? burst : null;
  }

  #begin(operation: Operation): Burst | null {
    const random = this.#random;
    const isCommon = READS.includes(operation.request) && !DECIDING.test(operation.name);
    if (!random.chance(isCommon ? SHARE_OF_READS : SHARE_OF_CHANGES)) {
      return null;
    }
    const kinds = FAULT_KINDS.filter(({ requests }) => requests.includes(operation.request));
    // An error of the disk itself is what is most easily taken for damage.
    const kind = random.chance(0.3) ? kinds[0] : random.pick(kinds);
    if (kind === undefined) {
      return null;
    }
    const all = random.chance(0.5) ? operation.actor : null;
    const target = kind.isOfObject === true ? operation.name : all;
    const left = random.chance(0.6) ? 1 : 2 + random.below(6);
    this.#burst = { kind, target, left, until: this.#requests + LONGEST };
    return this.#burst;
  }
}

function meets({ kind, target }: Burst, { request, name, actor }: Operation): boolean {
  return kind.requests.includes(request) && (target === null || target === name || target === actor);
}
