import { Args, Query, Resolver } from '@nestjs/graphql';
import type { NodeKey } from '../../kernel/global-id.ts';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { NodeRegistry } from '../../platform/graphql/node-registry.ts';
import { type Connection, mapConnection } from '../../platform/paging/connection.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { type AuditEntryView, toAuditEntryView } from './audit-entry.view.ts';
import * as audit from './audit.input.ts';
import { AuditService } from './audit.service.ts';

@Resolver()
export class AuditResolver {
  constructor(
    private readonly entries: AuditService,
    nodes: NodeRegistry,
  ) {
    nodes.register('AuditEntry', { permission: 'audit:read', get: async (key) => await this.auditEntry(key) });
  }

  @Query('auditEntry')
  @RequiresPermission('audit:read')
  async auditEntry(@Args('id', idPipe('AuditEntry')) key: NodeKey): Promise<AuditEntryView> {
    return toAuditEntryView(await this.entries.getAuditEntry(key));
  }

  @Query('auditEntries')
  @RequiresPermission('audit:read')
  async listAuditEntries(
    @Args(inputPipe(audit.listAuditEntriesArgs)) args: audit.ListAuditEntriesArgs,
  ): Promise<Connection<AuditEntryView>> {
    return mapConnection(await this.entries.listAuditEntries(args), toAuditEntryView);
  }
}
