import { Injectable } from '@nestjs/common';
import { notFound, type NodeKey } from '../../kernel/global-id.ts';
import type { StorageGrantId, StorageTargetId, VaultId } from '../../kernel/ids.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { onConstraint } from '../../platform/database/sql-state.ts';
import { Mutations } from '../../platform/mutations/mutations.ts';
import { newId } from '../../platform/new-id.ts';
import { JobLaunchService } from '../jobs/job-launch.service.ts';
import { StorageGrantService } from '../storage-grants/storage-grant.service.ts';
import { StorageTargetService } from '../storage-targets/storage-target.service.ts';
import { creationJobOf, creationOf, type VaultWithJob } from './vault-creation.ts';
import { VaultRow } from './vault.entity.ts';
import { storageGrantRevoked, vaultNameTaken } from './vault.errors.ts';
import type { CreateVaultInput } from './vault.input.ts';
import { getVaultRow, toVaultIds } from './vault-rows.ts';

type Storage = Pick<VaultRow, 'storageTargetId' | 'storageGrantId'>;

/** The row at once; its repository is made by a job. */
@Injectable()
export class CreateVaultService {
  constructor(
    private readonly scope: TenantScope,
    private readonly mutations: Mutations,
    private readonly targets: StorageTargetService,
    private readonly grants: StorageGrantService,
    private readonly launcher: JobLaunchService,
  ) {}

  async createVault(input: CreateVaultInput): Promise<VaultWithJob> {
    const tenant = this.scope.tenantOr(input.tenantId);
    const { name } = input;
    const made = await this.mutations.run<VaultWithJob>({
      name: 'createVault',
      target: tenant,
      input,
      work: async (em) => {
        const storage = await this.#findStorage(tenant, input);
        const subject: NodeKey = { type: 'Vault', tenantId: tenant.tenantId, id: newId<VaultId>() };
        await em
          .insert(VaultRow, { ...toVaultIds(subject), name, ...storage })
          .catch(onConstraint({ vault_name: () => vaultNameTaken(name) }));
        const vault = await getVaultRow(em, subject);
        const job = await this.launcher.enqueue(em, creationOf(vault));
        return { value: { vault, job }, subject, event: 'vault.created', data: { name }, detail: { ...storage } };
      },
      replay: async (em, id) => {
        const vault = await getVaultRow(em, { ...tenant, id });
        return { vault, job: await creationJobOf(em, vault) };
      },
    });
    await this.launcher.launch(made.job);
    return made;
  }

  /** A vault stands on its own tenant's target or grant; somebody else's answers as one that isn't there. */
  async #findStorage(tenant: NodeKey, { storageTargetId, storageGrantId }: CreateVaultInput): Promise<Storage> {
    if (storageGrantId !== undefined) {
      const grant = await this.grants.getStorageGrant(sameTenant(tenant, storageGrantId));
      if (grant.revokedAt !== null) {
        throw storageGrantRevoked(grant.name);
      }
      return { storageTargetId: null, storageGrantId: grant.id satisfies StorageGrantId };
    }
    if (storageTargetId === undefined) {
      throw notFound('StorageTarget');
    }
    const target = await this.targets.getStorageTarget(sameTenant(tenant, storageTargetId));
    return { storageTargetId: target.id satisfies StorageTargetId, storageGrantId: null };
  }
}

function sameTenant(tenant: NodeKey, key: NodeKey): NodeKey {
  if (key.tenantId !== tenant.tenantId) {
    throw notFound(key.type);
  }
  return key;
}
