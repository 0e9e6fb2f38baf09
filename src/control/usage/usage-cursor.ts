import type { EntityManager } from 'typeorm';
import type { TenantId } from '../../kernel/ids.ts';

/** Up to where the tenant's windows are closed; nobody else closes or corrects one of them until the end of this. */
export async function lockCursor(em: EntityManager, tenantId: TenantId, start: Date): Promise<Date> {
  await em.query(`insert into app.usage_cursor (tenant_id, closed_until) values ($1, $2) on conflict do nothing`, [
    tenantId,
    start,
  ]);
  const [cursor]: { closed_until: Date }[] = await em.query(
    'select closed_until from app.usage_cursor where tenant_id = $1 for update',
    [tenantId],
  );
  return cursor?.closed_until ?? start;
}
