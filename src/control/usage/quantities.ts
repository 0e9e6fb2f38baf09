import { METERS, unitOf, type Meter, type MeterUnit } from './meters.ts';
import type { UsageRecordRow } from './usage-record.entity.ts';

/** What systems that bill by quantities ask of a span of time, all as decimal text. */
export interface Quantities {
  readonly meter: Meter;
  readonly unit: MeterUnit;
  /** Of what the span's entries add, corrections of earlier spans included: what a counter comes to. */
  readonly sum: string;
  /** The last window's total; null where the span has no window. */
  readonly current: string | null;
  /** The mean of the windows' totals, cut to three decimal places. */
  readonly average: string | null;
  /** The highest of the windows' totals. */
  readonly peak: string | null;
}

export interface Span {
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}

type Entry = Pick<UsageRecordRow, 'meter' | 'windowStart' | 'revision' | 'quantity' | 'total'>;

/** Of entries that belong to a span; corrections of windows outside of it count in the sum only. */
export function quantitiesOf(entries: readonly Entry[], span: Span): Quantities[] {
  const byMeter = Map.groupBy(entries, ({ meter }) => meter);
  return METERS.map((meter) => {
    const own = byMeter.get(meter) ?? [];
    const totals = totalsOf(own.filter((entry) => lies(entry.windowStart, span)));
    const count = BigInt(totals.length);
    const none = totals.length === 0;
    return {
      meter,
      unit: unitOf(meter),
      sum: own.reduce((sum, { quantity }) => sum + BigInt(quantity), 0n).toString(),
      current: totals.at(-1)?.toString() ?? null,
      average: none ? null : thousandths((totals.reduce((sum, total) => sum + total, 0n) * 1000n) / count),
      peak: none ? null : totals.reduce((peak, total) => (total > peak ? total : peak)).toString(),
    };
  });
}

/** What each window comes to, the oldest first. */
function totalsOf(entries: readonly Entry[]): bigint[] {
  const newest = new Map<number, Entry>();
  for (const entry of entries) {
    const before = newest.get(entry.windowStart.getTime());
    if (before === undefined || before.revision < entry.revision) {
      newest.set(entry.windowStart.getTime(), entry);
    }
  }
  return [...newest.values()]
    .toSorted((a, b) => a.windowStart.getTime() - b.windowStart.getTime())
    .map(({ total }) => BigInt(total));
}

function lies(moment: Date, { from, to }: Span): boolean {
  return (from === undefined || moment >= from) && (to === undefined || moment < to);
}

/** A total is never negative. */
function thousandths(value: bigint): string {
  return `${value / 1000n}.${(value % 1000n).toString().padStart(3, '0')}`;
}
