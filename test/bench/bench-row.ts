/** One measured figure: ours beside a peer's, or beside what the machine allows, from the same run. */
export interface BenchRow {
  readonly name: string;
  readonly unit: string;
  /** The median of `runs`. */
  readonly ours: number;
  /** A peer's name, or `bound`. */
  readonly against: string;
  readonly theirs: number;
  readonly ratio: number;
  readonly runs: readonly number[];
}

export function toBenchRow(
  figure: Pick<BenchRow, 'name' | 'unit' | 'runs'>,
  against: string,
  theirRuns: readonly number[],
): BenchRow {
  const ours = median(figure.runs);
  const theirs = median(theirRuns);
  return { ...figure, ours, against, theirs, ratio: theirs === 0 ? 0 : ours / theirs };
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
