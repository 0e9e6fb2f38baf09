import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import type { PlacementsArgs } from './pool-grant.input.ts';

export interface Place {
  readonly id: string;
  readonly name: string;
  readonly xenUuid: string;
}

/** A pool that a tenant may restore into: names, never addresses. */
export interface Placement {
  readonly poolOwnerId: string;
  readonly poolId: string;
  readonly poolName: string;
  /** Null for the tenant's own pool. */
  readonly holder: { readonly tenantId: string; readonly grantId: string } | null;
  readonly storageRepositories: Place[];
  readonly networks: Place[];
}

interface PlaceRow {
  readonly grant_id: string | null;
  readonly pool_owner_id: string;
  readonly pool_id: string;
  readonly pool_name: string;
  readonly kind: 'SR' | 'NETWORK';
  readonly place_id: string;
  readonly place_name: string;
  readonly xen_uuid: string;
}

const MOST_PLACES = 1000;

/** Where a tenant may restore and replicate to: its own pools and those it holds a grant for. */
@Injectable()
export class PlacementService {
  constructor(
    private readonly scope: TenantScope,
    private readonly db: TenantDb,
  ) {}

  async listPlacements({ tenantId }: PlacementsArgs): Promise<Placement[]> {
    const tenant = this.scope.tenantOr(tenantId);
    const rows = await this.db.within(tenant, async (em) => await readPlaces(em, tenant.tenantId));
    const placements = new Map<string, Placement>();
    for (const row of rows) {
      const key = `${row.grant_id ?? ''}|${row.pool_id}`;
      const placement = placements.get(key) ?? emptyPlacement(row, tenant.tenantId);
      placements.set(key, placement);
      const places = row.kind === 'SR' ? placement.storageRepositories : placement.networks;
      places.push({ id: row.place_id, name: row.place_name, xenUuid: row.xen_uuid });
    }
    return [...placements.values()];
  }
}

async function readPlaces(em: EntityManager, tenantId: string): Promise<PlaceRow[]> {
  return await em.query(
    `select * from (
       select null::uuid as grant_id, p.tenant_id as pool_owner_id, p.id as pool_id, p.name as pool_name, part.*
       from app.pool p
       cross join lateral (
         select 'SR' as kind, sr.id as place_id, sr.name as place_name, sr.xen_uuid
         from app.pool_sr sr where sr.tenant_id = p.tenant_id and sr.pool_id = p.id and sr.gone_at is null
         union all
         select 'NETWORK', n.id, n.name, n.xen_uuid
         from app.pool_network n where n.tenant_id = p.tenant_id and n.pool_id = p.id and n.gone_at is null
       ) part
       where p.tenant_id = $1
       union all
       select grant_id, pool_owner_id, pool_id, pool_name, kind, place_id, place_name, xen_uuid from app.granted_places($1)
     ) places
     order by pool_name, pool_id, grant_id, place_name, place_id
     limit ${MOST_PLACES}`,
    [tenantId],
  );
}

function emptyPlacement(row: PlaceRow, tenantId: string): Placement {
  return {
    poolOwnerId: row.pool_owner_id,
    poolId: row.pool_id,
    poolName: row.pool_name,
    holder: row.grant_id === null ? null : { tenantId, grantId: row.grant_id },
    storageRepositories: [],
    networks: [],
  };
}
