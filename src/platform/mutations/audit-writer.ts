import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { NodeKey } from '../../kernel/global-id.ts';
import { TenantScope } from '../auth/tenant-scope.ts';
import type { JsonObject } from './json.ts';

export interface NewAuditEntry {
  /** Whose entry it is: the tenant that is written. The subject's unless said. */
  readonly tenantId?: string;
  /** The mutation's name: `createSite`. */
  readonly action: string;
  readonly subject: NodeKey;
  /** What was asked for and what changed. Never secrets. */
  readonly detail?: JsonObject;
}

/** Who did what. Entries belong to the tenant that was changed and name the tenant that acted. */
@Injectable()
export class AuditWriter {
  constructor(private readonly scope: TenantScope) {}

  async write(
    em: EntityManager,
    { action, subject, detail = {}, tenantId = subject.tenantId }: NewAuditEntry,
  ): Promise<void> {
    const actor = this.scope.current();
    await em.query(
      `insert into app.audit_entry
         (tenant_id, actor_tenant_id, actor, action, subject_type, subject_id, detail, request_id, address)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        tenantId,
        actor.tenantId,
        actor.name,
        action,
        subject.type,
        subject.id,
        JSON.stringify(detail),
        this.scope.requestId(),
        actor.address,
      ],
    );
  }
}
