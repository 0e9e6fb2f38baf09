import { failedRequest, type StoreRequest } from './failed-request.ts';
import type { Faults, Struck } from './fault-plan.ts';
import { FAULT_KINDS, type Effect, type FaultKind } from './fault-kinds.ts';
import type { Operation } from './scheduled-store.ts';

/** Where a store fails, and how. */
export interface Place {
  readonly among: 'changes' | 'reads';
  /** At which of these, counted from 0. */
  readonly at: number;
  /** A number, for one of all the errors that such a request can meet; 0: one of the disk itself. */
  readonly way: number;
  /** How many requests fail that can meet it: the first, and those after it. */
  readonly length: number;
}

/** One error, or a few of one kind in a row, at a given request. */
export class FaultAt implements Faults {
  /** Whether there was such a request. */
  isReached = false;
  readonly #place: Place;
  #passed = 0;
  #kind: FaultKind | null = null;
  #left: number;

  constructor(place: Place) {
    this.#place = place;
    this.#left = place.length;
  }

  async strike({ request, name }: Operation): Promise<Struck | null> {
    const effect = this.#arrive(request);
    const kind = this.#kind;
    if (kind === null || this.#left === 0 || !kind.requests.includes(request)) {
      return null;
    }
    this.#left -= 1;
    return { error: await failedRequest(kind.fault, request, name), effect };
  }

  #arrive(request: StoreRequest): Effect {
    const { among, at, way } = this.#place;
    if (isChange(request) !== (among === 'changes')) {
      return 'never';
    }
    this.#passed += 1;
    if (this.#passed !== at + 1) {
      return 'never';
    }
    const ways = waysOf(request);
    this.isReached = true;
    const [kind, effect] = ways[way % ways.length] ?? [null, 'never'];
    this.#kind = kind;
    return effect;
  }
}

function isChange(request: StoreRequest): boolean {
  return request === 'put' || request === 'delete' || request === 'flush';
}

function waysOf(request: StoreRequest): (readonly [FaultKind, Effect])[] {
  return FAULT_KINDS.filter(({ requests }) => requests.includes(request)).flatMap((kind) =>
    (isChange(request) ? kind.effects : (['never'] as const)).map((effect) => [kind, effect] as const),
  );
}
