import type { EntityManager } from 'typeorm';

/** What a tenant's work stood on; some of it may be somebody else's. Ids without their tenant. */
export interface Ground {
  readonly tenantId: string;
  readonly vmId?: string | null;
  /** Where it restored to. */
  readonly poolId?: string | null;
  readonly replicationPlanId?: string | null;
  readonly vaultId?: string | null;
}

type Conceal = (text: string) => string;

const INSTEAD = { POOL: 'the shared pool', STORAGE: 'the shared storage' } as const;
/** Hosts may be met by addresses that nobody wrote down: what a name resolved to. */
const ANY_ADDRESS = /(?<![\w.])(?:\d{1,3}(?:\.\d{1,3}){3}|\[[\da-f:.]+\])(?::\d+)?/gi;

/**
 * Failures tell where something went wrong; of what a tenant only holds a grant for, it is not to learn the address or
 * the path. The owner finds them in the service's log.
 */
export async function concealing(em: EntityManager, ground: Ground): Promise<Conceal> {
  const { tenantId, vmId = null, poolId = null, replicationPlanId = null, vaultId = null } = ground;
  const names: { kind: keyof typeof INSTEAD; name: string }[] = await em.query(
    `select kind, name from app.names_to_conceal($1, $2, $3, $4, $5) where name <> '' order by length(name) desc`,
    [tenantId, vmId, poolId, replicationPlanId, vaultId],
  );
  const rules = names.map(({ kind, name }) => ({ what: patternOf(kind, name), instead: INSTEAD[kind] }));
  if (names.some(({ kind }) => kind === 'POOL')) {
    rules.push({ what: ANY_ADDRESS, instead: INSTEAD.POOL });
  }
  return (text) => rules.reduce((told, { what, instead }) => told.replaceAll(what, instead), text);
}

/** A host with its port, or a path with everything below it. */
function patternOf(kind: keyof typeof INSTEAD, name: string): RegExp {
  const literal = name.replaceAll(/[^\w/-]/g, String.raw`\$&`);
  return kind === 'POOL'
    ? new RegExp(`(?:https?://)?(?<![\\w.-])${literal}(?![\\w-])(?::\\d+)?`, 'gi')
    : new RegExp(`${literal}(?:/[^\\s:;,'"]*)?`, 'g');
}
