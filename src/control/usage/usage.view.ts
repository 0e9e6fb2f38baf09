import { z } from 'zod';
import { toGlobalId } from '../../kernel/global-id.ts';
import { bigIntView, defineView, idView } from '../../platform/wire/view.ts';
import { METERS } from './meters.ts';
import type { Quantities } from './quantities.ts';
import type { UsagePeriodRow } from './usage-period.entity.ts';
import type { UsageRecordRow } from './usage-record.entity.ts';
import type { MeterReconciliation, SigningKey } from './usage-record.service.ts';

const meterView = z.enum(METERS);
const unitView = z.enum(['byte', 'run', 'vm', 'restore_point']);

export const recordView = defineView('UsageRecord', {
  id: idView('UsageRecord'),
  tenantId: idView('Tenant'),
  meter: meterView,
  unit: unitView,
  windowStart: z.date(),
  windowEnd: z.date(),
  periodStart: z.date(),
  revision: z.int(),
  quantity: bigIntView,
  total: bigIntView,
  reason: z.enum(['WINDOW_CLOSED', 'CORRECTION']),
  billable: z.boolean(),
  billableReason: z.string(),
  keyId: z.string(),
  signature: z.string(),
  recordedAt: z.date(),
});

export type RecordView = z.infer<typeof recordView>;

export function toRecordView(row: UsageRecordRow): RecordView {
  return {
    __typename: 'UsageRecord',
    id: toGlobalId('UsageRecord', row.tenantId, row.id),
    tenantId: toGlobalId('Tenant', row.tenantId, row.tenantId),
    meter: row.meter,
    unit: row.unit,
    windowStart: row.windowStart,
    windowEnd: row.windowEnd,
    periodStart: row.periodStart,
    revision: row.revision,
    quantity: row.quantity,
    total: row.total,
    reason: row.reason,
    billable: row.billable,
    billableReason: row.billableReason,
    keyId: row.keyId,
    signature: row.signature.toString('base64'),
    recordedAt: row.recordedAt,
  };
}

export const gapView = defineView('UsageGap', { from: z.date(), to: z.date() });

export const reconciliationView = defineView('UsageReconciliation', {
  meter: meterView,
  unit: unitView,
  count: z.int(),
  sum: bigIntView,
  firstWindowStart: z.date().nullable(),
  lastWindowEnd: z.date().nullable(),
  digest: z.string(),
  gaps: z.array(gapView),
});

export type ReconciliationView = z.infer<typeof reconciliationView>;

export function toReconciliationView(meter: MeterReconciliation): ReconciliationView {
  const gaps = meter.gaps.map((gap) => ({ __typename: 'UsageGap' as const, ...gap }));
  return { __typename: 'UsageReconciliation', ...meter, gaps };
}

const decimalView = z.string().describe('Decimal text.');

export const quantitiesView = defineView('UsageQuantities', {
  meter: meterView,
  unit: unitView,
  sum: bigIntView,
  current: bigIntView.nullable(),
  average: decimalView.nullable(),
  peak: bigIntView.nullable(),
});

export type QuantitiesView = z.infer<typeof quantitiesView>;

export function toQuantitiesView(quantities: Quantities): QuantitiesView {
  return { __typename: 'UsageQuantities', ...quantities };
}

export const periodView = defineView('UsagePeriod', {
  id: idView('UsagePeriod'),
  tenantId: idView('Tenant'),
  periodStart: z.date(),
  periodEnd: z.date(),
  entries: z.int(),
  digest: z.string(),
  quantities: z.array(quantitiesView),
  finalizedAt: z.date(),
});

export type PeriodView = z.infer<typeof periodView>;

export function toPeriodView(row: UsagePeriodRow): PeriodView {
  return {
    __typename: 'UsagePeriod',
    id: toGlobalId('UsagePeriod', row.tenantId, row.id),
    tenantId: toGlobalId('Tenant', row.tenantId, row.tenantId),
    periodStart: row.periodStart,
    periodEnd: row.periodEnd,
    entries: row.entries,
    digest: row.digest,
    quantities: row.quantities.map(toQuantitiesView),
    finalizedAt: row.finalizedAt,
  };
}

export const signingKeyView = defineView('UsageSigningKey', {
  keyId: z.string(),
  algorithm: z.literal('Ed25519'),
  publicKey: z.string(),
  createdAt: z.date(),
});

export type SigningKeyView = z.infer<typeof signingKeyView>;

export function toSigningKeyView(key: SigningKey): SigningKeyView {
  return { __typename: 'UsageSigningKey', algorithm: 'Ed25519', ...key };
}
