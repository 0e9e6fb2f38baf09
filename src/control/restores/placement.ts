import type { EntityManager } from 'typeorm';
import { AppError } from '../../kernel/errors.ts';
import { notFound } from '../../kernel/global-id.ts';
import type { NetworkRule, PoolTarget } from '../../../workflows/contract/index.ts';
import type { PlacementInput } from './placement.input.ts';

/** A placement that the tenant may use, in ids. */
export interface CheckedPlacement {
  readonly target: PoolTarget;
  readonly srId: string;
  readonly networkMap: readonly NetworkRule[];
}

interface Place {
  readonly id: string;
  readonly xenUuid: string;
}

/** What a tenant may use of a pool: all of its own, or what a grant names; null where there is no such right. */
export async function findPlaces(
  em: EntityManager,
  tenantId: string,
  { poolOwnerId, poolId, poolGrantId }: PoolTarget,
): Promise<{ readonly srs: readonly Place[]; readonly networks: readonly Place[] } | null> {
  if (poolGrantId !== null) {
    const places: (Place & { kind: 'SR' | 'NETWORK' })[] = await em.query(
      `select place_id as id, xen_uuid as "xenUuid", kind from app.granted_places($1)
       where grant_id = $2 and pool_owner_id = $3 and pool_id = $4`,
      [tenantId, poolGrantId, poolOwnerId, poolId],
    );
    const of = (kind: 'SR' | 'NETWORK'): Place[] => places.filter((place) => place.kind === kind);
    return places.length === 0 ? null : { srs: of('SR'), networks: of('NETWORK') };
  }
  if (poolOwnerId !== tenantId) {
    return null;
  }
  const own = async (table: 'pool_sr' | 'pool_network'): Promise<Place[]> =>
    await em.query(
      `select id, xen_uuid as "xenUuid" from app.${table} where tenant_id = $1 and pool_id = $2 and gone_at is null`,
      [tenantId, poolId],
    );
  const srs = await own('pool_sr');
  const networks = await own('pool_network');
  return srs.length + networks.length === 0 ? null : { srs, networks };
}

/** Judges what a client asked for. NO_PLACEMENT_GRANT, or NOT_FOUND in the words an unknown id gets. */
export async function checkPlacement(
  em: EntityManager,
  tenantId: string,
  { poolId, poolGrantId, storageRepositoryId, networks }: PlacementInput,
): Promise<CheckedPlacement> {
  if (poolGrantId !== undefined && poolGrantId.tenantId !== tenantId) {
    throw notFound('PoolGrant');
  }
  const target = { poolOwnerId: poolId.tenantId, poolId: poolId.id, poolGrantId: poolGrantId?.id ?? null };
  const places = await findPlaces(em, tenantId, target);
  if (places === null) {
    throw poolGrantId === undefined
      ? notFound('Pool')
      : noGrant('poolGrantId', 'The grant does not hold for this pool.');
  }
  if (!places.srs.some(({ id }) => id === storageRepositoryId.id)) {
    throw noGrant('storageRepositoryId', 'That storage repository is not one that may be used there.');
  }
  for (const { toNetworkId } of networks) {
    if (toNetworkId !== undefined && !places.networks.some(({ id }) => id === toNetworkId.id)) {
      throw noGrant('networks', 'A network is not one that may be used there.');
    }
  }
  const networkMap = networks.map(({ fromNetworkUuid, toNetworkId }) => ({
    from: fromNetworkUuid ?? null,
    toNetworkId: toNetworkId?.id ?? null,
  }));
  return { target, srId: storageRepositoryId.id, networkMap };
}

function noGrant(field: string, message: string): AppError {
  return new AppError('NO_PLACEMENT_GRANT', message, { data: { field } });
}
