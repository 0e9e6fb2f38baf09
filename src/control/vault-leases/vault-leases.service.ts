import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Leases } from '../../engine/ports/leases.ts';
import type { TenantId } from '../../kernel/ids.ts';
import { systemActor } from '../../platform/auth/actor.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';

/** A session that was silent for so long is judged dead; the engine renews every 15 seconds. */
const TIMEOUT = '2 minutes';

/** The engine's leases, in Postgres, so that movers on several machines judge alike. */
@Injectable()
export class VaultLeasesService {
  constructor(
    private readonly db: TenantDb,
    private readonly scope: TenantScope,
  ) {}

  /** Bound to its tenant: the engine beats from timers that outlive the call that opened the vault. */
  forTenant(tenantId: TenantId): Leases {
    const actor = systemActor('vault-leases', tenantId);
    const run = async <T>(work: (em: EntityManager) => Promise<T>): Promise<T> =>
      await this.scope.run(actor, null, async () => await this.db.run(work));
    return {
      beat: async ({ repositoryId, sessionId }) => {
        await run(
          async (em) =>
            await em.query(
              `insert into app.vault_lease (tenant_id, vault_id, session_id, expires_at)
               values ($1, $2, $3, now() + $4::interval)
               on conflict (tenant_id, vault_id, session_id) do update set expires_at = excluded.expires_at`,
              [tenantId, repositoryId, sessionId, TIMEOUT],
            ),
        );
      },
      isAlive: async ({ repositoryId, sessionId }) => {
        const rows = await run<unknown[]>(
          async (em) =>
            await em.query(
              `select from app.vault_lease
               where tenant_id = $1 and vault_id = $2 and session_id = $3 and expires_at > now()`,
              [tenantId, repositoryId, sessionId],
            ),
        );
        return rows.length > 0;
      },
      release: async ({ repositoryId, sessionId }) => {
        await run(
          async (em) =>
            await em.query('delete from app.vault_lease where tenant_id = $1 and vault_id = $2 and session_id = $3', [
              tenantId,
              repositoryId,
              sessionId,
            ]),
        );
      },
    };
  }
}
