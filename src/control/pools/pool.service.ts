import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { NodeKey } from '../../kernel/global-id.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { checkVersion, updateVersioned } from '../../platform/database/versioned-update.ts';
import { Mutations } from '../../platform/mutations/mutations.ts';
import type { Connection } from '../../platform/paging/connection.ts';
import { Pager } from '../../platform/paging/pager.ts';
import { isProvider } from '../tenants/tenant-tree.service.ts';
import { PoolRow } from './pool.entity.ts';
import { isOwnMachine } from './pool-address.ts';
import { addressOfService, passwordNeeded, poolAlreadyRegistered, poolInUse } from './pool.errors.ts';
import type { AcceptPoolCertificatesInput, DeletePoolInput, ListPoolsArgs, UpdatePoolInput } from './pool.input.ts';
import { PoolPasswords } from './pool-passwords.ts';
import { findTwin, getPoolRow } from './pool-rows.ts';

export type { PoolRow } from './pool.entity.ts';

@Injectable()
export class PoolService {
  constructor(
    private readonly scope: TenantScope,
    private readonly db: TenantDb,
    private readonly mutations: Mutations,
    private readonly pager: Pager,
    private readonly passwords: PoolPasswords,
  ) {}

  async getPool(key: NodeKey): Promise<PoolRow> {
    return await this.db.run(async (em) => await getPoolRow(em, key));
  }

  /** The pools of one tenant, newest first. */
  async listPools({ tenantId, ...page }: ListPoolsArgs): Promise<Connection<PoolRow>> {
    const tenant = this.scope.tenantOr(tenantId);
    return await this.db.within(tenant, async (em) => {
      const query = em.createQueryBuilder(PoolRow, 'pool').where('pool.tenant_id = :tenantId', tenant);
      const sort = [
        { column: 'pool.created_at', type: 'timestamptz' },
        { column: 'pool.id', type: 'uuid' },
      ] as const;
      return await this.pager.page(query, { list: `pools|${tenant.tenantId}|newest`, sort, direction: 'DESC' }, page);
    });
  }

  async updatePool(input: UpdatePoolInput): Promise<PoolRow> {
    const { poolId, expectedVersion, name, url, username, password } = input;
    return await this.mutations.run({
      name: 'updatePool',
      target: poolId,
      input,
      work: async (em) => {
        const row = await getPoolRow(em, poolId);
        checkVersion(row, expectedVersion);
        await checkAddress(em, row, input);
        if (password !== undefined) {
          await this.passwords.replace(em, row, password);
        }
        const { name: nameBefore, url: urlBefore, username: usernameBefore } = row;
        const value = await updateVersioned(em, PoolRow, row, {
          name: name ?? row.name,
          url: url ?? row.url,
          username: username ?? row.username,
        });
        return {
          value,
          subject: poolId,
          event: 'pool.updated',
          data: { name: value.name },
          detail: {
            before: { name: nameBefore, url: urlBefore, username: usernameBefore },
            url: value.url,
            username: value.username,
            passwordReplaced: password !== undefined,
          },
        };
      },
      replay: async (em, id) => await getPoolRow(em, { ...poolId, id }),
    });
  }

  /** Pins take the place of what was pinned for the same addresses; the others stay. */
  async acceptPoolCertificates(input: AcceptPoolCertificatesInput): Promise<PoolRow> {
    const { poolId, expectedVersion, certificates } = input;
    return await this.mutations.run({
      name: 'acceptPoolCertificates',
      target: poolId,
      input,
      work: async (em) => {
        const row = await getPoolRow(em, poolId);
        checkVersion(row, expectedVersion);
        const before = row.pinnedCertificates;
        const accepted = Object.fromEntries(certificates.map(({ address, sha256 }) => [address, sha256]));
        const value = await updateVersioned(em, PoolRow, row, { pinnedCertificates: { ...before, ...accepted } });
        const detail = { before, accepted };
        return { value, subject: poolId, event: 'pool.certificates_accepted', data: { name: row.name }, detail };
      },
      replay: async (em, id) => await getPoolRow(em, { ...poolId, id }),
    });
  }

  /** Releases the pool's VMs, ends the grants on it and forgets it. Gives back the key of what is gone. */
  async deletePool(input: DeletePoolInput): Promise<NodeKey> {
    const { poolId, expectedVersion } = input;
    return await this.mutations.run({
      name: 'deletePool',
      target: poolId,
      input,
      work: async (em) => {
        const row = await getPoolRow(em, poolId);
        checkVersion(row, expectedVersion);
        await release(em, row);
        await em.delete(PoolRow, { tenantId: row.tenantId, id: row.id });
        await this.passwords.remove(em, row);
        return { value: poolId, subject: poolId, event: 'pool.deleted', data: { name: row.name } };
      },
      replay: async () => await Promise.resolve(poolId),
    });
  }
}

/**
 * BAD_INPUT where the address is the service's own, or where it would get a password that was given for another one;
 * POOL_ALREADY_REGISTERED where it is another pool's.
 */
async function checkAddress(em: EntityManager, row: PoolRow, { url, password }: UpdatePoolInput): Promise<void> {
  if (url === undefined || url === row.url) {
    return;
  }
  if (isOwnMachine(url) && !(await isProvider(em, row.tenantId))) {
    throw addressOfService();
  }
  const twin = await findTwin(em, row, { url });
  if (twin !== null) {
    throw poolAlreadyRegistered(twin, 'url');
  }
  if (password === undefined) {
    throw passwordNeeded();
  }
}

async function release(em: EntityManager, { tenantId, id, name }: PoolRow): Promise<void> {
  const rows: { released: boolean }[] = await em.query('select app.release_pool($1, $2) as released', [tenantId, id]);
  if (rows[0]?.released !== true) {
    throw poolInUse(name);
  }
}
