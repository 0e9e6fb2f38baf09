/** One way of looking for faults, seed after seed. */
export interface Kind {
  /** Throws what it found. */
  run(seed: number): Promise<void>;
  /** What was done so far. */
  tally(): Tally;
  end?(): Promise<void>;
}

/** Numbers by names, in groups where that says more. */
export interface Tally {
  readonly [name: string]: number | Tally;
}

/** Why this machine can't do it. */
export interface Unavailable {
  readonly reason: string;
}

export function addTally(a: Tally, b: Tally): Tally {
  const sum: Record<string, number | Tally> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const known = sum[name];
    if (typeof value === 'number') {
      sum[name] = (typeof known === 'number' ? known : 0) + value;
    } else {
      sum[name] = addTally(typeof known === 'object' ? known : {}, value);
    }
  }
  return sum;
}
