import type { EntityManager } from 'typeorm';
import type { JsonObject } from '../../platform/mutations/json.ts';
import { toGlobalId } from '../../kernel/global-id.ts';
import type { UsageRecordRow } from './usage-record.entity.ts';
import { UsageSigner, type UnsignedRecord } from './usage-signature.ts';

export type SignedRecord = Omit<UsageRecordRow, 'recordedAt'>;

/** Signs entries and adds them to the ledger; one that is there already stays as it is. */
export async function addToLedger(
  em: EntityManager,
  signer: UsageSigner,
  records: readonly UnsignedRecord[],
): Promise<SignedRecord[]> {
  const signed = records.map((record) => ({ ...record, keyId: signer.keyId, signature: signer.sign(record) }));
  for (const record of signed) {
    await em.query(
      `insert into app.usage_record (tenant_id, id, meter, unit, window_start, window_end, revision, quantity, total,
              reason, billable, billable_reason, key_id, signature, period_start)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) on conflict do nothing`,
      [
        record.tenantId,
        record.id,
        record.meter,
        record.unit,
        record.windowStart,
        record.windowEnd,
        record.revision,
        record.quantity,
        record.total,
        record.reason,
        record.billable,
        record.billableReason,
        record.keyId,
        record.signature,
        record.periodStart,
      ],
    );
  }
  return signed;
}

/** An entry as events carry it: everything that its signature covers, and the signature. */
export function toEventData(record: SignedRecord): JsonObject {
  return {
    usageRecordId: toGlobalId('UsageRecord', record.tenantId, record.id),
    tenantId: toGlobalId('Tenant', record.tenantId, record.tenantId),
    meter: record.meter,
    unit: record.unit,
    windowStart: record.windowStart.toISOString(),
    windowEnd: record.windowEnd.toISOString(),
    periodStart: record.periodStart.toISOString(),
    revision: record.revision,
    quantity: record.quantity,
    total: record.total,
    reason: record.reason,
    billable: record.billable,
    billableReason: record.billableReason,
    keyId: record.keyId,
    signature: record.signature.toString('base64'),
  };
}
