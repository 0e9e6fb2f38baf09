import { z } from 'zod';
import { toGlobalId } from '../../kernel/global-id.ts';
import { subjectGlobalId } from '../../platform/mutations/subject.ts';
import { defineView, idView } from '../../platform/wire/view.ts';
import type { AuditEntryRow } from './audit-entry.entity.ts';

export const auditEntryView = defineView('AuditEntry', {
  id: idView('AuditEntry'),
  tenantId: idView('Tenant'),
  actorTenantId: idView('Tenant'),
  actor: z.string(),
  action: z.string(),
  subjectType: z.string(),
  subjectId: z.string().describe('Global id of what was changed; it may be gone.'),
  detail: z.record(z.string(), z.unknown()),
  requestId: z.string().nullable(),
  address: z.string().nullable(),
  occurredAt: z.date(),
});

export type AuditEntryView = z.infer<typeof auditEntryView>;

export function toAuditEntryView(row: AuditEntryRow): AuditEntryView {
  return {
    __typename: 'AuditEntry',
    id: toGlobalId('AuditEntry', row.tenantId, row.id),
    tenantId: toGlobalId('Tenant', row.tenantId, row.tenantId),
    actorTenantId: toGlobalId('Tenant', row.actorTenantId, row.actorTenantId),
    actor: row.actor,
    action: row.action,
    subjectType: row.subjectType,
    subjectId: subjectGlobalId(row),
    detail: row.detail,
    requestId: row.requestId,
    address: row.address,
    occurredAt: row.occurredAt,
  };
}
