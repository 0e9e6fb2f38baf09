import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { updateVersioned, checkVersion } from '../../platform/database/versioned-update.ts';
import { Mutations } from '../../platform/mutations/mutations.ts';
import { JobLaunchService } from '../jobs/job-launch.service.ts';
import { StorageGrantService } from '../storage-grants/storage-grant.service.ts';
import { creationJobOf, creationOf, newestCreationJobOf, type VaultWithJob } from './vault-creation.ts';
import { VaultRow } from './vault.entity.ts';
import { creationUnderWay, storageGrantRevoked, vaultIsMade } from './vault.errors.ts';
import type { RetryVaultCreationInput } from './vault.input.ts';
import { getVaultRow } from './vault-rows.ts';

/** A vault whose creation failed keeps its name and place; making its repository is tried again, as a job. */
@Injectable()
export class RetryVaultService {
  constructor(
    private readonly mutations: Mutations,
    private readonly grants: StorageGrantService,
    private readonly launcher: JobLaunchService,
  ) {}

  async retryVaultCreation(input: RetryVaultCreationInput): Promise<VaultWithJob> {
    const { vaultId: key, expectedVersion } = input;
    const made = await this.mutations.run<VaultWithJob>({
      name: 'retryVaultCreation',
      target: key,
      input,
      work: async (em) => {
        const row = await getVaultRow(em, key);
        checkVersion(row, expectedVersion);
        await this.#requireFailed(em, row);
        const before = { state: row.state, stateCode: row.stateCode };
        const state = { state: 'CREATING', stateCode: null, stateDetail: null } as const;
        const vault = await updateVersioned<VaultRow>(em, VaultRow, row, state);
        const job = await this.launcher.enqueue(em, creationOf(vault));
        const event = 'vault.creation_retried';
        return { value: { vault, job }, subject: key, event, data: { name: row.name }, detail: { before } };
      },
      replay: async (em, id) => {
        const vault = await getVaultRow(em, { ...key, id });
        return { vault, job: (await newestCreationJobOf(em, vault)) ?? (await creationJobOf(em, vault)) };
      },
    });
    await this.launcher.launch(made.job);
    return made;
  }

  async #requireFailed(em: EntityManager, row: VaultRow): Promise<void> {
    const { tenantId, storageGrantId, name } = row;
    if (row.state === 'READY') {
      throw vaultIsMade(name);
    }
    const job = await newestCreationJobOf(em, row);
    if (job !== null && job.finishedAt === null) {
      throw creationUnderWay(job);
    }
    if (storageGrantId !== null) {
      const grant = await this.grants.getStorageGrant({ type: 'StorageGrant', tenantId, id: storageGrantId });
      if (grant.revokedAt !== null) {
        throw storageGrantRevoked(grant.name, 'vaultId');
      }
    }
  }
}
