import { Injectable } from '@nestjs/common';
import type { EntityTarget, ObjectLiteral } from 'typeorm';
import type { NodeKey } from '../../kernel/global-id.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import type { Connection } from '../../platform/paging/connection.ts';
import { Pager } from '../../platform/paging/pager.ts';
import { PoolHostRow } from './pool-host.entity.ts';
import type { PartsArgs } from './pool.input.ts';
import { PoolNetworkRow } from './pool-network.entity.ts';
import { getPoolRow } from './pool-rows.ts';
import { PoolSrRow } from './pool-sr.entity.ts';

/** Hosts, storage repositories and networks of a pool, each by name; what is gone comes along, marked. */
@Injectable()
export class PoolPartsService {
  constructor(
    private readonly db: TenantDb,
    private readonly pager: Pager,
  ) {}

  async listHosts(pool: NodeKey, page: PartsArgs): Promise<Connection<PoolHostRow>> {
    return await this.#list(PoolHostRow, 'hosts', pool, page);
  }

  async listStorageRepositories(pool: NodeKey, page: PartsArgs): Promise<Connection<PoolSrRow>> {
    return await this.#list(PoolSrRow, 'srs', pool, page);
  }

  async listNetworks(pool: NodeKey, page: PartsArgs): Promise<Connection<PoolNetworkRow>> {
    return await this.#list(PoolNetworkRow, 'networks', pool, page);
  }

  async #list<Row extends ObjectLiteral>(
    entity: EntityTarget<Row>,
    list: string,
    { tenantId, id }: NodeKey,
    page: PartsArgs,
  ): Promise<Connection<Row>> {
    return await this.db.run(async (em) => {
      await getPoolRow(em, { tenantId, id });
      const query = em
        .createQueryBuilder(entity, 'part')
        .where('part.tenant_id = :tenantId and part.pool_id = :id', { tenantId, id });
      const sort = [
        { column: 'part.name', type: 'text' },
        { column: 'part.id', type: 'uuid' },
      ] as const;
      return await this.pager.page(query, { list: `${list}|${tenantId}|${id}|name`, sort, direction: 'ASC' }, page);
    });
  }
}
