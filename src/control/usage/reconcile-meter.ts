import { createHash } from 'node:crypto';
import { toGlobalId } from '../../kernel/global-id.ts';
import { unitOf, type Meter, type MeterUnit } from './meters.ts';
import type { UsageRecordRow } from './usage-record.entity.ts';

export interface MeterReconciliation {
  readonly meter: Meter;
  readonly unit: MeterUnit;
  /** Ledger entries, corrections included. */
  readonly count: number;
  /** Of all quantities: what the meter comes to. */
  readonly sum: string;
  readonly firstWindowStart: Date | null;
  readonly lastWindowEnd: Date | null;
  /** SHA-256, lower-case hex, over the entries' global ids in byte order, each ended by a line feed. */
  readonly digest: string;
  /** Spans between the first and the last window that no window covers. */
  readonly gaps: readonly { readonly from: Date; readonly to: Date }[];
}

export function reconcileMeter(meter: Meter, records: readonly UsageRecordRow[]): MeterReconciliation {
  const windows = records
    .filter((record) => record.revision === 0)
    .toSorted((a, b) => a.windowStart.getTime() - b.windowStart.getTime());
  return {
    meter,
    unit: unitOf(meter),
    count: records.length,
    sum: records.reduce((sum, record) => sum + BigInt(record.quantity), 0n).toString(),
    firstWindowStart: windows[0]?.windowStart ?? null,
    lastWindowEnd: windows.at(-1)?.windowEnd ?? null,
    digest: digestOf(records),
    gaps: gapsBetween(windows),
  };
}

/** SHA-256, lower-case hex, over the entries' global ids in byte order, each ended by a line feed. */
export function digestOf(records: readonly Pick<UsageRecordRow, 'tenantId' | 'id'>[]): string {
  const ids = records.map(({ tenantId, id }) => toGlobalId('UsageRecord', tenantId, id)).toSorted();
  return createHash('sha256')
    .update(ids.map((id) => `${id}\n`).join(''))
    .digest('hex');
}

function gapsBetween(windows: readonly UsageRecordRow[]): { from: Date; to: Date }[] {
  return windows.flatMap((window, index) => {
    const next = windows[index + 1];
    return next === undefined || next.windowStart.getTime() <= window.windowEnd.getTime()
      ? []
      : [{ from: window.windowEnd, to: next.windowStart }];
  });
}
