import { Controller, Get, Param, Query } from '@nestjs/common';
import { z } from 'zod';
import type { NodeKey } from '../../kernel/global-id.ts';
import { type ListBody, mapConnection, toListBody } from '../../platform/paging/connection.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { UsagePeriodService } from './usage-period.service.ts';
import { UsageRecordService } from './usage-record.service.ts';
import * as usage from './usage.input.ts';
import {
  periodView,
  type PeriodView,
  quantitiesView,
  type QuantitiesView,
  reconciliationView,
  type ReconciliationView,
  recordView,
  type RecordView,
  signingKeyView,
  type SigningKeyView,
  toPeriodView,
  toQuantitiesView,
  toReconciliationView,
  toRecordView,
  toSigningKeyView,
} from './usage.view.ts';

const window = { tenantId: 'Tenant', from: 'text', to: 'text' } as const;

@Controller('v1/usage')
export class UsageController {
  constructor(
    private readonly records: UsageRecordService,
    private readonly periods: UsagePeriodService,
  ) {}

  @Get('records')
  @Operation({
    summary: 'List the ledger of a tenant, newest window first',
    permission: 'usage:read',
    returns: recordView,
    list: true,
    query: { ...window, meter: 'text' },
  })
  async listUsageRecords(
    @Query(inputPipe(usage.listRecordsQuery)) query: usage.ListRecordsArgs,
  ): Promise<ListBody<RecordView>> {
    return toListBody(mapConnection(await this.records.listUsageRecords(query), toRecordView));
  }

  @Get('records/:usageRecordId')
  @Operation({
    summary: 'Read one entry of the ledger',
    permission: 'usage:read',
    returns: recordView,
    ids: { usageRecordId: 'UsageRecord' },
  })
  async getUsageRecord(@Param('usageRecordId', idPipe('UsageRecord')) key: NodeKey): Promise<RecordView> {
    return toRecordView(await this.records.getUsageRecord(key));
  }

  @Get('reconcile')
  @Operation({
    summary: 'Say per meter what the ledger comes to, to compare another ledger with',
    permission: 'usage:read',
    returns: z.object({ items: z.array(reconciliationView) }),
    query: window,
  })
  async reconcileUsage(
    @Query(inputPipe(usage.reconcileArgs)) query: usage.ReconcileArgs,
  ): Promise<{ items: ReconciliationView[] }> {
    return { items: (await this.records.reconcileUsage(query)).map(toReconciliationView) };
  }

  @Get('quantities')
  @Operation({
    summary: 'Say per meter the sum, and the current, average and peak quantity, for systems that bill by quantities',
    permission: 'usage:read',
    returns: z.object({ items: z.array(quantitiesView) }),
    query: window,
  })
  async readQuantities(
    @Query(inputPipe(usage.reconcileArgs)) query: usage.ReconcileArgs,
  ): Promise<{ items: QuantitiesView[] }> {
    return { items: (await this.periods.readQuantities(query)).map(toQuantitiesView) };
  }

  @Get('periods')
  @Operation({
    summary: 'List the final periods of a tenant, newest first',
    permission: 'usage:read',
    returns: periodView,
    list: true,
    query: { tenantId: 'Tenant' },
  })
  async listUsagePeriods(
    @Query(inputPipe(usage.listPeriodsQuery)) query: usage.ListPeriodsArgs,
  ): Promise<ListBody<PeriodView>> {
    return toListBody(mapConnection(await this.periods.listUsagePeriods(query), toPeriodView));
  }

  @Get('signing-keys')
  @Operation({
    summary: 'List the public keys that ledger entries were signed with, newest first',
    permission: 'usage:read',
    returns: z.object({ items: z.array(signingKeyView) }),
  })
  async listSigningKeys(): Promise<{ items: SigningKeyView[] }> {
    return { items: (await this.records.listSigningKeys()).map(toSigningKeyView) };
  }
}
