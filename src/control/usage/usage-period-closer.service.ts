import { Injectable } from '@nestjs/common';
import type { TenantId } from '../../kernel/ids.ts';
import { systemActor } from '../../platform/auth/actor.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { EventWriter } from '../../platform/mutations/event-writer.ts';
import type { UsageWindow } from './measure-window.ts';
import { quantitiesOf } from './quantities.ts';
import { digestOf } from './reconcile-meter.ts';
import { lockCursor } from './usage-cursor.ts';
import { usagePeriodId } from './usage-ids.ts';
import { UsagePeriodRow } from './usage-period.entity.ts';
import { UsageRecordRow } from './usage-record.entity.ts';

/** Makes periods final, one tenant and one period at a time, acting as that tenant. */
@Injectable()
export class UsagePeriodCloserService {
  constructor(
    private readonly scope: TenantScope,
    private readonly db: TenantDb,
    private readonly events: EventWriter,
  ) {}

  /** False where somebody else was faster. From now on what comes late for it goes into the next period. */
  async finalizePeriod(tenantId: TenantId, { start, end }: UsageWindow): Promise<boolean> {
    return await this.scope.run(systemActor('usage', tenantId), null, async () => {
      return await this.db.run(async (em) => {
        // No window is closed or corrected meanwhile.
        await lockCursor(em, tenantId, start);
        const id = usagePeriodId(tenantId, start);
        if ((await em.findOneBy(UsagePeriodRow, { tenantId, id })) !== null) {
          return false;
        }
        const records = await em.findBy(UsageRecordRow, { tenantId, periodStart: start });
        const quantities = quantitiesOf(records, { from: start, to: end });
        const found = { entries: records.length, digest: digestOf(records), quantities };
        await em.insert(UsagePeriodRow, { tenantId, id, periodStart: start, periodEnd: end, ...found });
        await this.events.write(em, {
          type: 'usage.period.finalized',
          subject: { type: 'UsagePeriod', tenantId, id },
          data: {
            periodStart: start.toISOString(),
            periodEnd: end.toISOString(),
            entries: found.entries,
            digest: found.digest,
            quantities: quantities.map((each) => ({ ...each })),
          },
        });
        return true;
      });
    });
  }
}
