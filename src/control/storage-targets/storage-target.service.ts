import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { notFound, type NodeKey } from '../../kernel/global-id.ts';
import type { StorageTargetId } from '../../kernel/ids.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { onConstraint } from '../../platform/database/sql-state.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { checkVersion, updateVersioned } from '../../platform/database/versioned-update.ts';
import { Mutations } from '../../platform/mutations/mutations.ts';
import { newId } from '../../platform/new-id.ts';
import type { Connection } from '../../platform/paging/connection.ts';
import { Pager } from '../../platform/paging/pager.ts';
import { isProvider } from '../tenants/tenant-tree.service.ts';
import { StorageFolders } from './storage-folders.ts';
import { StorageTargetRow } from './storage-target.entity.ts';
import { directoryOfProvider, storageInUse, storageTargetNameTaken } from './storage-target.errors.ts';
import type {
  CreateStorageTargetInput,
  DeleteStorageTargetInput,
  ListStorageTargetsArgs,
  RenameStorageTargetInput,
} from './storage-target.input.ts';

@Injectable()
export class StorageTargetService {
  constructor(
    private readonly scope: TenantScope,
    private readonly db: TenantDb,
    private readonly mutations: Mutations,
    private readonly pager: Pager,
    private readonly folders: StorageFolders,
  ) {}

  async getStorageTarget(key: NodeKey): Promise<StorageTargetRow> {
    return await this.db.run(async (em) => await getRow(em, key));
  }

  /** The storage targets of one tenant, newest first. */
  async listStorageTargets({ tenantId, ...page }: ListStorageTargetsArgs): Promise<Connection<StorageTargetRow>> {
    const tenant = this.scope.tenantOr(tenantId);
    return await this.db.within(tenant, async (em) => {
      const query = em.createQueryBuilder(StorageTargetRow, 'target').where('target.tenant_id = :tenantId', tenant);
      const sort = [
        { column: 'target.created_at', type: 'timestamptz' },
        { column: 'target.id', type: 'uuid' },
      ] as const;
      const list = `storage-targets|${tenant.tenantId}|newest`;
      return await this.pager.page(query, { list, sort, direction: 'DESC' }, page);
    });
  }

  async createStorageTarget(input: CreateStorageTargetInput): Promise<StorageTargetRow> {
    const tenant = this.scope.tenantOr(input.tenantId);
    const { name, kind, path } = input;
    const problem = await this.folders.problemOf(path);
    return await this.mutations.run({
      name: 'createStorageTarget',
      target: tenant,
      input,
      work: async (em) => {
        if (!(await isProvider(em, tenant.tenantId))) {
          throw directoryOfProvider();
        }
        if (problem !== null) {
          throw problem;
        }
        const subject: NodeKey = { type: 'StorageTarget', tenantId: tenant.tenantId, id: newId<StorageTargetId>() };
        await em
          .insert(StorageTargetRow, { ...toIds(subject), name, kind, path })
          .catch(onConstraint({ storage_target_name: () => storageTargetNameTaken(name) }));
        const value = await getRow(em, subject);
        return { value, subject, event: 'storage_target.created', data: { name }, detail: { kind, path } };
      },
      replay: async (em, id) => await getRow(em, { tenantId: tenant.tenantId, id }),
    });
  }

  async renameStorageTarget(input: RenameStorageTargetInput): Promise<StorageTargetRow> {
    const { storageTargetId, name, expectedVersion } = input;
    return await this.mutations.run({
      name: 'renameStorageTarget',
      target: storageTargetId,
      input,
      work: async (em) => {
        const row = await getRow(em, storageTargetId);
        checkVersion(row, expectedVersion);
        const before = row.name;
        const value = await updateVersioned(em, StorageTargetRow, row, { name }).catch(
          onConstraint({ storage_target_name: () => storageTargetNameTaken(name) }),
        );
        const detail = { before: { name: before } };
        return { value, subject: storageTargetId, event: 'storage_target.updated', data: { name }, detail };
      },
      replay: async (em, id) => await getRow(em, { ...storageTargetId, id }),
    });
  }

  /** Gives back the key of what is gone; nothing on the storage is touched. */
  async deleteStorageTarget(input: DeleteStorageTargetInput): Promise<NodeKey> {
    const { storageTargetId, expectedVersion } = input;
    return await this.mutations.run({
      name: 'deleteStorageTarget',
      target: storageTargetId,
      input,
      work: async (em) => {
        const row = await getRow(em, storageTargetId);
        checkVersion(row, expectedVersion);
        await em.delete(StorageTargetRow, { tenantId: row.tenantId, id: row.id }).catch(
          onConstraint({
            vault_tenant_id_storage_target_id_fkey: () => storageInUse('Vaults'),
            storage_grant_on_target: () => storageInUse('Grants'),
          }),
        );
        return {
          value: storageTargetId,
          subject: storageTargetId,
          event: 'storage_target.deleted',
          data: { name: row.name },
        };
      },
      replay: async () => await Promise.resolve(storageTargetId),
    });
  }
}

async function getRow(em: EntityManager, key: Pick<NodeKey, 'tenantId' | 'id'>): Promise<StorageTargetRow> {
  const row = await em.findOneBy(StorageTargetRow, toIds(key));
  if (row === null) {
    throw notFound('StorageTarget');
  }
  return row;
}

function toIds({ tenantId, id }: Pick<NodeKey, 'tenantId' | 'id'>): Pick<StorageTargetRow, 'tenantId' | 'id'> {
  return { tenantId: tenantId as StorageTargetRow['tenantId'], id: id as StorageTargetId };
}
