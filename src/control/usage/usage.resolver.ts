import { Args, Query, Resolver } from '@nestjs/graphql';
import type { NodeKey } from '../../kernel/global-id.ts';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { NodeRegistry } from '../../platform/graphql/node-registry.ts';
import { type Connection, mapConnection } from '../../platform/paging/connection.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { UsagePeriodService } from './usage-period.service.ts';
import { UsageRecordService } from './usage-record.service.ts';
import * as usage from './usage.input.ts';
import {
  type PeriodView,
  type QuantitiesView,
  type ReconciliationView,
  type RecordView,
  type SigningKeyView,
  toPeriodView,
  toQuantitiesView,
  toReconciliationView,
  toRecordView,
  toSigningKeyView,
} from './usage.view.ts';

@Resolver()
export class UsageResolver {
  constructor(
    private readonly records: UsageRecordService,
    private readonly periods: UsagePeriodService,
    nodes: NodeRegistry,
  ) {
    nodes.register('UsageRecord', {
      permission: 'usage:read',
      get: async (key) => toRecordView(await records.getUsageRecord(key)),
    });
    nodes.register('UsagePeriod', {
      permission: 'usage:read',
      get: async (key) => toPeriodView(await periods.getUsagePeriod(key)),
    });
  }

  @Query('usageRecord')
  @RequiresPermission('usage:read')
  async usageRecord(@Args('id', idPipe('UsageRecord')) key: NodeKey): Promise<RecordView> {
    return toRecordView(await this.records.getUsageRecord(key));
  }

  @Query('usageRecords')
  @RequiresPermission('usage:read')
  async usageRecords(
    @Args(inputPipe(usage.listRecordsArgs)) args: usage.ListRecordsArgs,
  ): Promise<Connection<RecordView>> {
    return mapConnection(await this.records.listUsageRecords(args), toRecordView);
  }

  @Query('reconcileUsage')
  @RequiresPermission('usage:read')
  async reconcileUsage(@Args(inputPipe(usage.reconcileArgs)) args: usage.ReconcileArgs): Promise<ReconciliationView[]> {
    return (await this.records.reconcileUsage(args)).map(toReconciliationView);
  }

  @Query('usagePeriods')
  @RequiresPermission('usage:read')
  async usagePeriods(
    @Args(inputPipe(usage.listPeriodsArgs)) args: usage.ListPeriodsArgs,
  ): Promise<Connection<PeriodView>> {
    return mapConnection(await this.periods.listUsagePeriods(args), toPeriodView);
  }

  @Query('usageQuantities')
  @RequiresPermission('usage:read')
  async usageQuantities(@Args(inputPipe(usage.reconcileArgs)) args: usage.ReconcileArgs): Promise<QuantitiesView[]> {
    return (await this.periods.readQuantities(args)).map(toQuantitiesView);
  }

  @Query('usageSigningKeys')
  @RequiresPermission('usage:read')
  async usageSigningKeys(): Promise<SigningKeyView[]> {
    return (await this.records.listSigningKeys()).map(toSigningKeyView);
  }
}
