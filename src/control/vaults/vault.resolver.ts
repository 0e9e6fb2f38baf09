import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { NodeKey } from '../../kernel/global-id.ts';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { NodeRegistry } from '../../platform/graphql/node-registry.ts';
import { payload, type Payload, type UserErrorView } from '../../platform/graphql/payload.ts';
import { type Connection, mapConnection } from '../../platform/paging/connection.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { type JobView, toJobView } from '../jobs/job.view.ts';
import { CreateVaultService } from './create-vault.service.ts';
import { RetryVaultService } from './retry-vault.service.ts';
import type { VaultWithJob } from './vault-creation.ts';
import { VAULT_USER_ERRORS } from './vault.errors.ts';
import * as vault from './vault.input.ts';
import { VaultService } from './vault.service.ts';
import { toVaultView, type VaultView } from './vault.view.ts';

interface VaultJobPayload {
  readonly vault: VaultView | null;
  readonly job: JobView | null;
  readonly userErrors: readonly UserErrorView[];
}

@Resolver()
export class VaultResolver {
  constructor(
    private readonly vaults: VaultService,
    private readonly creating: CreateVaultService,
    private readonly retrying: RetryVaultService,
    nodes: NodeRegistry,
  ) {
    nodes.register('Vault', { permission: 'vaults:read', get: async (key) => toVaultView(await vaults.getVault(key)) });
  }

  @Query('vault')
  @RequiresPermission('vaults:read')
  async vault(@Args('id', idPipe('Vault')) key: NodeKey): Promise<VaultView> {
    return toVaultView(await this.vaults.getVault(key));
  }

  @Query('vaults')
  @RequiresPermission('vaults:read')
  async listVaults(@Args(inputPipe(vault.listVaultsArgs)) args: vault.ListVaultsArgs): Promise<Connection<VaultView>> {
    return mapConnection(await this.vaults.listVaults(args), toVaultView);
  }

  @Mutation('createVault')
  @RequiresPermission('vaults:write')
  async createVault(
    @Args('input', inputPipe(vault.createVaultInput)) input: vault.CreateVaultInput,
  ): Promise<VaultJobPayload> {
    return await toPayload(this.creating.createVault(input));
  }

  @Mutation('retryVaultCreation')
  @RequiresPermission('vaults:write')
  async retryVaultCreation(
    @Args('input', inputPipe(vault.retryVaultCreationInput)) input: vault.RetryVaultCreationInput,
  ): Promise<VaultJobPayload> {
    return await toPayload(this.retrying.retryVaultCreation(input));
  }

  @Mutation('renameVault')
  @RequiresPermission('vaults:write')
  async renameVault(
    @Args('input', inputPipe(vault.renameVaultInput)) input: vault.RenameVaultInput,
  ): Promise<Payload<'vault', VaultView>> {
    return await payload('vault', VAULT_USER_ERRORS, this.vaults.renameVault(input).then(toVaultView));
  }
}

async function toPayload(work: Promise<VaultWithJob>): Promise<VaultJobPayload> {
  const { made, userErrors } = await payload('made', VAULT_USER_ERRORS, work);
  return {
    vault: made === null ? null : toVaultView(made.vault),
    job: made === null ? null : toJobView({ job: made.job, progress: null }),
    userErrors,
  };
}
