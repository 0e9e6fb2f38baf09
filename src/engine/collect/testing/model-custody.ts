import type { Random } from './random.ts';

/** Time goes on in steps of 20 and 150 s: some dates pass during a run, and others don't. */
const LENGTHS_MS = [10_000, 100_000, 1_000_000];

export function pickDate(random: Random, now: number): number {
  return now + (random.pick(LENGTHS_MS) ?? 0);
}

/** What the model knows of what keeps a restore point: what was answered stands, and what was not may stand. */
export class ModelCustody {
  readonly #standing = new Set<string>();
  readonly #possible = new Set<string>();
  /** Holds that somebody began to release. */
  readonly #unsure = new Set<string>();
  #retainedUntil = 0;
  #possiblyUntil = 0;
  /** Who is deleting it now; those that were killed are for ever. */
  deleters = 0;
  #changes = 0;

  get holds(): readonly string[] {
    return [...this.#standing];
  }

  /** Those too of which nobody was told. */
  get possibleHolds(): readonly string[] {
    return [...this.#possible];
  }

  get retainedUntil(): number {
    return this.#retainedUntil;
  }

  /** Whether it must not go. */
  isKept(now: number): boolean {
    return this.#standing.size > 0 || this.#retainedUntil > now;
  }

  placing(holdId: string): void {
    this.#possible.add(holdId);
    this.#changes += 1;
  }

  /** False where somebody began to release it meanwhile: nobody knows then whether it stands. */
  placed(holdId: string): boolean {
    if (this.#unsure.has(holdId)) {
      return false;
    }
    this.#standing.add(holdId);
    return true;
  }

  /** `isSure`: whether it stood, and nothing is on its way any more that could place it. */
  releasing(holdId: string): { readonly isSure: boolean } {
    this.#unsure.add(holdId);
    return { isSure: this.#standing.delete(holdId) };
  }

  released(holdId: string, { isSure }: { readonly isSure: boolean }): void {
    if (isSure) {
      this.#possible.delete(holdId);
      this.#changes += 1;
    }
  }

  retaining(until: number): void {
    this.#possiblyUntil = Math.max(this.#possiblyUntil, until);
    this.#changes += 1;
  }

  /** False where the date is past already. */
  retained(until: number, now: number): boolean {
    this.#retainedUntil = Math.max(this.#retainedUntil, until);
    return until > now;
  }

  /** What a deletion that begins now may be refused for, from now until it is asked. */
  watch(now: number): { mayBeHeld(): boolean; mayBeRetained(): boolean } {
    const before = this.#changes;
    const isChanged = (): boolean => this.#changes !== before;
    return {
      mayBeHeld: () => this.#possible.size > 0 || isChanged(),
      mayBeRetained: () => this.#possiblyUntil > now || isChanged(),
    };
  }
}
