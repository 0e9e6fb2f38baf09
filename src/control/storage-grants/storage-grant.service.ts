import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { notFound, type NodeKey } from '../../kernel/global-id.ts';
import type { StorageGrantId } from '../../kernel/ids.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { isAbove } from '../../platform/database/is-above.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { checkVersion, updateVersioned } from '../../platform/database/versioned-update.ts';
import { Mutations } from '../../platform/mutations/mutations.ts';
import { newId } from '../../platform/new-id.ts';
import type { Connection } from '../../platform/paging/connection.ts';
import { Pager } from '../../platform/paging/pager.ts';
import { StorageTargetService } from '../storage-targets/storage-target.service.ts';
import { StorageGrantRow } from './storage-grant.entity.ts';
import { grantFromAboveOnly } from './storage-grant.errors.ts';
import type { GrantStorageInput, ListStorageGrantsArgs, RevokeStorageGrantInput } from './storage-grant.input.ts';

@Injectable()
export class StorageGrantService {
  constructor(
    private readonly scope: TenantScope,
    private readonly db: TenantDb,
    private readonly mutations: Mutations,
    private readonly pager: Pager,
    private readonly targets: StorageTargetService,
  ) {}

  async getStorageGrant(key: NodeKey): Promise<StorageGrantRow> {
    return await this.db.run(async (em) => await getRow(em, key));
  }

  /** The storage grants that one tenant holds, newest first. */
  async listStorageGrants({ tenantId, ...page }: ListStorageGrantsArgs): Promise<Connection<StorageGrantRow>> {
    const tenant = this.scope.tenantOr(tenantId);
    return await this.db.within(tenant, async (em) => {
      const query = em.createQueryBuilder(StorageGrantRow, 'held').where('held.tenant_id = :tenantId', tenant);
      const sort = [
        { column: 'held.created_at', type: 'timestamptz' },
        { column: 'held.id', type: 'uuid' },
      ] as const;
      const list = `storage-grants|${tenant.tenantId}|newest`;
      return await this.pager.page(query, { list, sort, direction: 'DESC' }, page);
    });
  }

  async grantStorage(input: GrantStorageInput): Promise<StorageGrantRow> {
    const { tenantId: holder, storageTargetId, name, quotaBytes } = input;
    return await this.mutations.run({
      name: 'grantStorage',
      target: holder,
      input,
      work: async (em) => {
        await this.#mustBeAbove(em, holder);
        const target = await this.targets.getStorageTarget(storageTargetId);
        await ownerMustBeAbove(em, target, holder);
        const subject: NodeKey = { type: 'StorageGrant', tenantId: holder.tenantId, id: newId<StorageGrantId>() };
        await em.insert(StorageGrantRow, {
          ...toIds(subject),
          storageOwnerId: target.tenantId,
          storageTargetId: target.id,
          name,
          quotaBytes: quotaBytes?.toString() ?? null,
        });
        const value = await getRow(em, subject);
        return { value, subject, event: 'storage_grant.created', data: { name, quotaBytes: value.quotaBytes } };
      },
      replay: async (em, id) => await getRow(em, { ...holder, id }),
    });
  }

  /** Revoking what is revoked changes nothing but the version. */
  async revokeStorageGrant(input: RevokeStorageGrantInput): Promise<StorageGrantRow> {
    const { storageGrantId, expectedVersion } = input;
    return await this.mutations.run({
      name: 'revokeStorageGrant',
      target: storageGrantId,
      input,
      work: async (em) => {
        const row = await getRow(em, storageGrantId);
        await this.#mustBeAbove(em, storageGrantId);
        checkVersion(row, expectedVersion);
        const value = await updateVersioned(em, StorageGrantRow, row, { revokedAt: row.revokedAt ?? new Date() });
        return { value, subject: storageGrantId, event: 'storage_grant.revoked', data: { name: row.name } };
      },
      replay: async (em, id) => await getRow(em, { ...storageGrantId, id }),
    });
  }

  /** The wall behind it is the table's policy; here it gets words. */
  async #mustBeAbove(em: EntityManager, holder: NodeKey): Promise<void> {
    if (!(await isAbove(em, this.scope.current().tenantId, holder.tenantId))) {
      throw grantFromAboveOnly();
    }
  }
}

/** Somebody else's storage is none that the holder could be granted. */
async function ownerMustBeAbove(
  em: EntityManager,
  target: { readonly tenantId: string },
  holder: NodeKey,
): Promise<void> {
  if (!(await isAbove(em, target.tenantId, holder.tenantId))) {
    throw notFound('StorageTarget');
  }
}

async function getRow(em: EntityManager, key: Pick<NodeKey, 'tenantId' | 'id'>): Promise<StorageGrantRow> {
  const row = await em.findOneBy(StorageGrantRow, toIds(key));
  if (row === null) {
    throw notFound('StorageGrant');
  }
  return row;
}

function toIds({ tenantId, id }: Pick<NodeKey, 'tenantId' | 'id'>): Pick<StorageGrantRow, 'tenantId' | 'id'> {
  return { tenantId: tenantId as StorageGrantRow['tenantId'], id: id as StorageGrantId };
}
