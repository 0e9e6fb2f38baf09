import { Injectable } from '@nestjs/common';
import type { SelectQueryBuilder } from 'typeorm';
import { notFound, type NodeKey } from '../../kernel/global-id.ts';
import type { TenantId } from '../../kernel/ids.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import type { Connection } from '../../platform/paging/connection.ts';
import { Pager } from '../../platform/paging/pager.ts';
import { METERS } from './meters.ts';
import { reconcileMeter, type MeterReconciliation } from './reconcile-meter.ts';
import { UsageRecordRow } from './usage-record.entity.ts';
import type { ListRecordsArgs, ReconcileArgs } from './usage.input.ts';

export type { MeterReconciliation } from './reconcile-meter.ts';

export interface SigningKey {
  readonly keyId: string;
  /** SPKI, PEM. */
  readonly publicKey: string;
  readonly createdAt: Date;
}

const NEWEST = [
  { column: 'record.window_start', type: 'timestamptz' },
  { column: 'record.id', type: 'uuid' },
] as const;

/** Reads of the ledger. */
@Injectable()
export class UsageRecordService {
  constructor(
    private readonly scope: TenantScope,
    private readonly db: TenantDb,
    private readonly pager: Pager,
  ) {}

  async getUsageRecord({ tenantId, id }: NodeKey): Promise<UsageRecordRow> {
    return await this.db.run(async (em) => {
      const row = await em.findOneBy(UsageRecordRow, { tenantId: tenantId as TenantId, id });
      if (row === null) {
        throw notFound('UsageRecord');
      }
      return row;
    });
  }

  /** The ledger of one tenant, newest window first. */
  async listUsageRecords(args: ListRecordsArgs): Promise<Connection<UsageRecordRow>> {
    const { tenantId, meter, from, to, ...page } = args;
    const tenant = this.scope.tenantOr(tenantId);
    return await this.db.within(tenant, async (em) => {
      const query = em.createQueryBuilder(UsageRecordRow, 'record').where('record.tenant_id = :tenantId', tenant);
      if (meter !== undefined) {
        query.andWhere('record.meter = :meter', { meter });
      }
      withinTime(query, { from, to });
      const filter = [meter ?? '', from?.toISOString() ?? '', to?.toISOString() ?? ''];
      const list = ['usageRecords', tenant.tenantId, ...filter, 'newest'].join('|');
      return await this.pager.page(query, { list, sort: NEWEST, direction: 'DESC' }, page);
    });
  }

  /** What a receiver compares its own ledger with, per meter. */
  async reconcileUsage(args: ReconcileArgs): Promise<MeterReconciliation[]> {
    const byMeter = Map.groupBy(await this.recordsWithin(args), (record) => record.meter);
    return METERS.map((meter) => reconcileMeter(meter, byMeter.get(meter) ?? []));
  }

  /** Every entry of one tenant whose window starts within the span. */
  async recordsWithin({ tenantId, from, to }: ReconcileArgs): Promise<UsageRecordRow[]> {
    const tenant = this.scope.tenantOr(tenantId);
    return await this.db.within(tenant, async (em) => {
      const query = em.createQueryBuilder(UsageRecordRow, 'record').where('record.tenant_id = :tenantId', tenant);
      return await withinTime(query, { from, to }).getMany();
    });
  }

  /** The public keys that ledger entries were ever signed with, newest first. */
  async listSigningKeys(): Promise<SigningKey[]> {
    return await this.db.run(
      async (em): Promise<SigningKey[]> =>
        await em.query(
          `select key_id as "keyId", public_key as "publicKey", created_at as "createdAt"
             from app.usage_signing_key order by created_at desc, key_id`,
        ),
    );
  }
}

function withinTime(
  query: SelectQueryBuilder<UsageRecordRow>,
  { from, to }: Pick<ReconcileArgs, 'from' | 'to'>,
): SelectQueryBuilder<UsageRecordRow> {
  if (from !== undefined) {
    query.andWhere('record.window_start >= :from', { from });
  }
  if (to !== undefined) {
    query.andWhere('record.window_start < :to', { to });
  }
  return query;
}
