import { Args, Query, Resolver } from '@nestjs/graphql';
import type { NodeKey } from '../../kernel/global-id.ts';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { NodeRegistry } from '../../platform/graphql/node-registry.ts';
import { type Connection, mapConnection } from '../../platform/paging/connection.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { UsageRecordService } from './usage-record.service.ts';
import * as usage from './usage.input.ts';
import {
  type ReconciliationView,
  type RecordView,
  type SigningKeyView,
  toReconciliationView,
  toRecordView,
  toSigningKeyView,
} from './usage.view.ts';

@Resolver()
export class UsageResolver {
  constructor(
    private readonly records: UsageRecordService,
    nodes: NodeRegistry,
  ) {
    nodes.register('UsageRecord', {
      permission: 'usage:read',
      get: async (key) => toRecordView(await records.getUsageRecord(key)),
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

  @Query('usageSigningKeys')
  @RequiresPermission('usage:read')
  async usageSigningKeys(): Promise<SigningKeyView[]> {
    return (await this.records.listSigningKeys()).map(toSigningKeyView);
  }
}
