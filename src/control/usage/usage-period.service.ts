import { Injectable } from '@nestjs/common';
import { notFound, type NodeKey } from '../../kernel/global-id.ts';
import type { TenantId } from '../../kernel/ids.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import type { Connection } from '../../platform/paging/connection.ts';
import { Pager } from '../../platform/paging/pager.ts';
import { quantitiesOf, type Quantities } from './quantities.ts';
import { UsagePeriodRow } from './usage-period.entity.ts';
import { UsageRecordService } from './usage-record.service.ts';
import type { ListPeriodsArgs, ReconcileArgs } from './usage.input.ts';

const NEWEST = [
  { column: 'period.period_start', type: 'timestamptz' },
  { column: 'period.id', type: 'uuid' },
] as const;

/** What billing by quantities reads: final periods, and any span of the ledger. */
@Injectable()
export class UsagePeriodService {
  constructor(
    private readonly scope: TenantScope,
    private readonly db: TenantDb,
    private readonly pager: Pager,
    private readonly records: UsageRecordService,
  ) {}

  async getUsagePeriod({ tenantId, id }: NodeKey): Promise<UsagePeriodRow> {
    return await this.db.run(async (em) => {
      const row = await em.findOneBy(UsagePeriodRow, { tenantId: tenantId as TenantId, id });
      if (row === null) {
        throw notFound('UsagePeriod');
      }
      return row;
    });
  }

  /** The final periods of one tenant, newest first. */
  async listUsagePeriods({ tenantId, ...page }: ListPeriodsArgs): Promise<Connection<UsagePeriodRow>> {
    const tenant = this.scope.tenantOr(tenantId);
    return await this.db.within(tenant, async (em) => {
      const query = em.createQueryBuilder(UsagePeriodRow, 'period').where('period.tenant_id = :tenantId', tenant);
      const list = `usagePeriods|${tenant.tenantId}|newest`;
      return await this.pager.page(query, { list, sort: NEWEST, direction: 'DESC' }, page);
    });
  }

  /** Of the windows that start within the span, as the ledger has them now. */
  async readQuantities(args: ReconcileArgs): Promise<Quantities[]> {
    return quantitiesOf(await this.records.recordsWithin(args), args);
  }
}
