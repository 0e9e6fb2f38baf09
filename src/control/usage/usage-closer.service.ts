import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AppError } from '../../kernel/errors.ts';
import type { TenantId } from '../../kernel/ids.ts';
import { systemActor } from '../../platform/auth/actor.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { EventWriter } from '../../platform/mutations/event-writer.ts';
import { addToLedger, toEventData } from './ledger.ts';
import { countersOf, measureWindow, type UsageWindow } from './measure-window.ts';
import { METERS, unitOf, type Counter } from './meters.ts';
import { lockCursor } from './usage-cursor.ts';
import { usageRecordId } from './usage-ids.ts';
import { openPeriodOf } from './usage-periods.ts';
import { UsageRecordRow } from './usage-record.entity.ts';
import { UsageSigner, type UnsignedRecord } from './usage-signature.ts';

/** Turns usage into ledger entries, one tenant and one window at a time, acting as that tenant. */
@Injectable()
export class UsageCloserService {
  constructor(
    private readonly scope: TenantScope,
    private readonly db: TenantDb,
    private readonly events: EventWriter,
    private readonly signer: UsageSigner,
  ) {}

  /** Closes the window that follows what is closed. False where somebody else has closed it: nothing is done twice. */
  async closeWindow(tenantId: TenantId, window: UsageWindow): Promise<boolean> {
    return await this.#as(tenantId, async (em) => {
      const closedUntil = await lockCursor(em, tenantId, window.start);
      if (closedUntil.getTime() !== window.start.getTime()) {
        return false;
      }
      const records = await this.#firstRevisions(em, tenantId, window);
      const signed = await addToLedger(em, this.signer, records);
      await em.query('update app.usage_cursor set closed_until = $2 where tenant_id = $1', [tenantId, window.end]);
      await this.events.write(em, {
        type: 'usage.window.closed',
        subject: { type: 'Tenant', tenantId, id: tenantId },
        data: {
          windowStart: window.start.toISOString(),
          windowEnd: window.end.toISOString(),
          records: signed.map(toEventData),
        },
      });
      return true;
    });
  }

  /**
   * Brings a closed window up to what its usage events say now, by an entry with the difference. False where the two
   * agree. Whether it is billable was decided when the window was closed.
   */
  async correctWindow(tenantId: TenantId, meter: Counter, window: UsageWindow): Promise<boolean> {
    return await this.#as(tenantId, async (em) => {
      await lockCursor(em, tenantId, window.start);
      const last = await em.findOne(UsageRecordRow, {
        where: { tenantId, meter, windowStart: window.start },
        order: { revision: 'DESC' },
      });
      const total = (await countersOf(em, tenantId, window))[meter];
      const difference = BigInt(total) - BigInt(last?.total ?? total);
      if (last === null || difference === 0n) {
        return false;
      }
      const revision = last.revision + 1;
      const { recordedAt: _recorded, ...same } = last;
      const correction: UnsignedRecord = {
        ...same,
        id: usageRecordId({ tenantId, meter, windowStart: last.windowStart, revision }),
        revision,
        quantity: difference.toString(),
        total,
        reason: 'CORRECTION',
        periodStart: await openPeriodOf(em, tenantId, last.windowStart),
      };
      for (const record of await addToLedger(em, this.signer, [correction])) {
        const subject = { type: 'UsageRecord' as const, tenantId, id: record.id };
        await this.events.write(em, { type: 'usage.corrected', subject, data: toEventData(record) });
      }
      return true;
    });
  }

  async #firstRevisions(em: EntityManager, tenantId: TenantId, window: UsageWindow): Promise<UnsignedRecord[]> {
    const measured = await measureWindow(em, tenantId, window);
    const [billing]: { billable: boolean; reason: string }[] = await em.query(
      'select billable, billable_reason as reason from app.tenant where id = $1',
      [tenantId],
    );
    if (billing === undefined) {
      throw new AppError('INTERNAL', 'A tenant whose window is to be closed is not there.');
    }
    const periodStart = await openPeriodOf(em, tenantId, window.start);
    return METERS.map((meter) => ({
      tenantId,
      periodStart,
      id: usageRecordId({ tenantId, meter, windowStart: window.start, revision: 0 }),
      meter,
      unit: unitOf(meter),
      windowStart: window.start,
      windowEnd: window.end,
      revision: 0,
      quantity: measured[meter],
      total: measured[meter],
      reason: 'WINDOW_CLOSED',
      billable: billing.billable,
      billableReason: billing.reason,
    }));
  }

  async #as<T>(tenantId: TenantId, work: (em: EntityManager) => Promise<T>): Promise<T> {
    return await this.scope.run(systemActor('usage', tenantId), null, async () => await this.db.run(work));
  }
}
