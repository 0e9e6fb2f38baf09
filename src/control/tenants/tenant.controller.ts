import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import type { NodeKey } from '../../kernel/global-id.ts';
import { ANY_CREDENTIAL } from '../../platform/auth/permissions.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { type ListBody, mapConnection, toListBody } from '../../platform/paging/connection.ts';
import { IdempotencyKey, IfMatch, OptionalIdempotencyKey } from '../../platform/rest/headers.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { TenantTreeService } from './tenant-tree.service.ts';
import type { TenantRow } from './tenant.entity.ts';
import * as tenant from './tenant.input.ts';
import { TenantService } from './tenant.service.ts';
import { tenantView, type TenantView, toTenantView, toViewerView, viewerView, type ViewerView } from './tenant.view.ts';

const CHANGE = {
  permission: 'tenants:write',
  returns: tenantView,
  ids: { tenantId: 'Tenant' },
  idempotencyKey: 'optional',
  ifMatch: true,
} as const;

@Controller('v1')
export class TenantController {
  constructor(
    private readonly tree: TenantTreeService,
    private readonly tenants: TenantService,
    private readonly scope: TenantScope,
  ) {}

  @Get('viewer')
  @Operation({ summary: 'Who this credential is', permission: ANY_CREDENTIAL, returns: viewerView })
  viewer(): ViewerView {
    return toViewerView(this.scope.current());
  }

  @Get('tenants')
  @Operation({
    summary: 'List the tenants directly below one, by name',
    permission: 'tenants:read',
    returns: tenantView,
    list: true,
    query: { parentId: 'Tenant' },
  })
  async listTenants(
    @Query(inputPipe(tenant.listTenantsQuery)) query: tenant.ListTenantsArgs,
  ): Promise<ListBody<TenantView>> {
    return toListBody(mapConnection(await this.tree.listTenants(query), this.#view));
  }

  @Get('tenants/:tenantId')
  @Operation({ summary: 'Read a tenant', permission: 'tenants:read', returns: tenantView, ids: { tenantId: 'Tenant' } })
  async getTenant(@Param('tenantId', idPipe('Tenant')) tenantId: NodeKey): Promise<TenantView> {
    return this.#view(await this.tree.getTenant(tenantId));
  }

  @Post('tenants')
  @Operation({
    summary: 'Create a partner or a customer',
    permission: 'tenants:write',
    status: 201,
    body: tenant.createTenantBody,
    returns: tenantView,
    idempotencyKey: 'required',
  })
  async createTenant(
    @Body(inputPipe(tenant.createTenantBody)) body: tenant.CreateTenantBody,
    @IdempotencyKey() idempotencyKey: string,
  ): Promise<TenantView> {
    return this.#view(await this.tenants.createTenant({ ...body, idempotencyKey }));
  }

  @Patch('tenants/:tenantId')
  @Operation({ ...CHANGE, summary: 'Rename a tenant', body: tenant.renameTenantBody })
  async renameTenant(
    @Param('tenantId', idPipe('Tenant')) tenantId: NodeKey,
    @Body(inputPipe(tenant.renameTenantBody)) body: tenant.RenameTenantBody,
    @IfMatch() expectedVersion: number | undefined,
    @OptionalIdempotencyKey() idempotencyKey: string | undefined,
  ): Promise<TenantView> {
    return this.#view(await this.tenants.renameTenant({ ...body, tenantId, expectedVersion, idempotencyKey }));
  }

  @Post('tenants/:tenantId/suspend')
  @HttpCode(200)
  @Operation({ ...CHANGE, summary: 'Suspend a tenant and all below it', body: tenant.suspendTenantBody })
  async suspendTenant(
    @Param('tenantId', idPipe('Tenant')) tenantId: NodeKey,
    @Body(inputPipe(tenant.suspendTenantBody)) body: tenant.SuspendTenantBody,
    @IfMatch() expectedVersion: number | undefined,
    @OptionalIdempotencyKey() idempotencyKey: string | undefined,
  ): Promise<TenantView> {
    return this.#view(await this.tenants.suspendTenant({ ...body, tenantId, expectedVersion, idempotencyKey }));
  }

  @Post('tenants/:tenantId/resume')
  @HttpCode(200)
  @Operation({ ...CHANGE, summary: 'Resume a suspended tenant' })
  async resumeTenant(
    @Param('tenantId', idPipe('Tenant')) tenantId: NodeKey,
    @IfMatch() expectedVersion: number | undefined,
    @OptionalIdempotencyKey() idempotencyKey: string | undefined,
  ): Promise<TenantView> {
    return this.#view(await this.tenants.resumeTenant({ tenantId, expectedVersion, idempotencyKey }));
  }

  readonly #view = (row: TenantRow): TenantView => toTenantView(row, this.scope.current());
}
