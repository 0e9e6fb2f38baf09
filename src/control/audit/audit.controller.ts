import { Controller, Get, Param, Query } from '@nestjs/common';
import type { NodeKey } from '../../kernel/global-id.ts';
import { type ListBody, mapConnection, toListBody } from '../../platform/paging/connection.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { auditEntryView, type AuditEntryView, toAuditEntryView } from './audit-entry.view.ts';
import * as audit from './audit.input.ts';
import { AuditService } from './audit.service.ts';

@Controller('v1/audit-entries')
export class AuditController {
  constructor(private readonly entries: AuditService) {}

  @Get()
  @Operation({
    summary: 'List who did what in a tenant, newest first',
    permission: 'audit:read',
    returns: auditEntryView,
    list: true,
    query: { tenantId: 'Tenant' },
  })
  async listAuditEntries(
    @Query(inputPipe(audit.listAuditEntriesQuery)) query: audit.ListAuditEntriesArgs,
  ): Promise<ListBody<AuditEntryView>> {
    return toListBody(mapConnection(await this.entries.listAuditEntries(query), toAuditEntryView));
  }

  @Get(':auditEntryId')
  @Operation({
    summary: 'Read one audit entry',
    permission: 'audit:read',
    returns: auditEntryView,
    ids: { auditEntryId: 'AuditEntry' },
  })
  async getAuditEntry(@Param('auditEntryId', idPipe('AuditEntry')) key: NodeKey): Promise<AuditEntryView> {
    return toAuditEntryView(await this.entries.getAuditEntry(key));
  }
}
