import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import { z } from 'zod';
import type { NodeKey } from '../../kernel/global-id.ts';
import { type ListBody, mapConnection, toListBody } from '../../platform/paging/connection.ts';
import { IdempotencyKey, IfMatch, OptionalIdempotencyKey } from '../../platform/rest/headers.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { jobView, type JobView, toJobView } from '../jobs/job.view.ts';
import { CreateVaultService } from './create-vault.service.ts';
import { RetryVaultService } from './retry-vault.service.ts';
import type { VaultWithJob } from './vault-creation.ts';
import * as vault from './vault.input.ts';
import { VaultService } from './vault.service.ts';
import { toVaultView, vaultView, type VaultView } from './vault.view.ts';

interface VaultAndJob {
  readonly vault: VaultView;
  readonly job: JobView;
}

@Controller('v1/vaults')
export class VaultController {
  constructor(
    private readonly vaults: VaultService,
    private readonly creating: CreateVaultService,
    private readonly retrying: RetryVaultService,
  ) {}

  @Get()
  @Operation({
    summary: 'List the vaults of a tenant, newest first',
    permission: 'vaults:read',
    returns: vaultView,
    list: true,
    query: { tenantId: 'Tenant' },
  })
  async listVaults(@Query(inputPipe(vault.listVaultsQuery)) query: vault.ListVaultsArgs): Promise<ListBody<VaultView>> {
    return toListBody(mapConnection(await this.vaults.listVaults(query), toVaultView));
  }

  @Get(':vaultId')
  @Operation({ summary: 'Read a vault', permission: 'vaults:read', returns: vaultView, ids: { vaultId: 'Vault' } })
  async getVault(@Param('vaultId', idPipe('Vault')) vaultId: NodeKey): Promise<VaultView> {
    return toVaultView(await this.vaults.getVault(vaultId));
  }

  @Post()
  @HttpCode(202)
  @Operation({
    summary: 'Make a vault, and start the job that makes its repository',
    permission: 'vaults:write',
    status: 202,
    body: vault.createVaultBody,
    returns: z.object({ vault: vaultView, job: jobView }),
    idempotencyKey: 'required',
  })
  async createVault(
    @Body(inputPipe(vault.createVaultBody)) body: vault.CreateVaultBody,
    @IdempotencyKey() idempotencyKey: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<VaultAndJob> {
    return accepted(await this.creating.createVault({ ...body, idempotencyKey }), response);
  }

  @Post(':vaultId/retry')
  @HttpCode(202)
  @Operation({
    summary: 'Make the repository of a vault whose creation failed, as another job',
    permission: 'vaults:write',
    status: 202,
    returns: z.object({ vault: vaultView, job: jobView }),
    ids: { vaultId: 'Vault' },
    idempotencyKey: 'required',
    ifMatch: true,
  })
  async retryVaultCreation(
    @Param('vaultId', idPipe('Vault')) vaultId: NodeKey,
    @IfMatch() expectedVersion: number | undefined,
    @IdempotencyKey() idempotencyKey: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<VaultAndJob> {
    return accepted(await this.retrying.retryVaultCreation({ vaultId, expectedVersion, idempotencyKey }), response);
  }

  @Patch(':vaultId')
  @Operation({
    summary: 'Rename a vault',
    permission: 'vaults:write',
    body: vault.renameVaultBody,
    returns: vaultView,
    ids: { vaultId: 'Vault' },
    idempotencyKey: 'optional',
    ifMatch: true,
  })
  async renameVault(
    @Param('vaultId', idPipe('Vault')) vaultId: NodeKey,
    @Body(inputPipe(vault.renameVaultBody)) body: vault.RenameVaultBody,
    @IfMatch() expectedVersion: number | undefined,
    @OptionalIdempotencyKey() idempotencyKey: string | undefined,
  ): Promise<VaultView> {
    return toVaultView(await this.vaults.renameVault({ ...body, vaultId, expectedVersion, idempotencyKey }));
  }
}

function accepted(made: VaultWithJob, response: Response): VaultAndJob {
  const job = toJobView({ job: made.job, progress: null });
  response.location(`/v1/jobs/${job.id}`);
  return { vault: toVaultView(made.vault), job };
}
