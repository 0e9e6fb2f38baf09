import { v5 } from 'uuid';
import type { Counter, Meter } from './meters.ts';

// The same input has the same id for ever: written into the ledgers of others, so this never changes.
const NAMESPACE = '6f6f1a2e-9f3c-4f0a-8a57-2d4b8e0c1d39';

/** A job counts once per meter. */
export function usageEventId(jobId: string, meter: Counter): string {
  return v5(`event|${jobId}|${meter}`, NAMESPACE);
}

export function usagePeriodId(tenantId: string, start: Date): string {
  return v5(`period|${tenantId}|${start.toISOString()}`, NAMESPACE);
}

export interface LedgerPlace {
  readonly tenantId: string;
  readonly meter: Meter;
  readonly windowStart: Date;
  readonly revision: number;
}

export function usageRecordId({ tenantId, meter, windowStart, revision }: LedgerPlace): string {
  return v5(`record|${tenantId}|${meter}|${windowStart.toISOString()}|${revision}`, NAMESPACE);
}
