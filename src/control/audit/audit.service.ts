import { Injectable } from '@nestjs/common';
import { notFound, type NodeKey } from '../../kernel/global-id.ts';
import type { TenantId } from '../../kernel/ids.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import type { Connection } from '../../platform/paging/connection.ts';
import { Pager } from '../../platform/paging/pager.ts';
import { AuditEntryRow } from './audit-entry.entity.ts';
import type { ListAuditEntriesArgs } from './audit.input.ts';

/** Reading what every mutation wrote; nothing changes an entry. */
@Injectable()
export class AuditService {
  constructor(
    private readonly scope: TenantScope,
    private readonly db: TenantDb,
    private readonly pager: Pager,
  ) {}

  async getAuditEntry({ tenantId, id }: NodeKey): Promise<AuditEntryRow> {
    return await this.db.run(async (em) => {
      const row = await em.findOneBy(AuditEntryRow, { tenantId: tenantId as TenantId, id });
      if (row === null) {
        throw notFound('AuditEntry');
      }
      return row;
    });
  }

  /** The entries of one tenant, newest first. */
  async listAuditEntries({ tenantId, ...page }: ListAuditEntriesArgs): Promise<Connection<AuditEntryRow>> {
    const tenant = this.scope.tenantOr(tenantId);
    return await this.db.within(tenant, async (em) => {
      const query = em.createQueryBuilder(AuditEntryRow, 'entry').where('entry.tenant_id = :tenantId', tenant);
      const sort = [
        { column: 'entry.occurred_at', type: 'timestamptz' },
        { column: 'entry.id', type: 'uuid' },
      ] as const;
      return await this.pager.page(query, { list: `audit|${tenant.tenantId}|newest`, sort, direction: 'DESC' }, page);
    });
  }
}
