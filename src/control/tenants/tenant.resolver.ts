import { Args, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { fromGlobalId, type NodeKey } from '../../kernel/global-id.ts';
import { ANY_CREDENTIAL } from '../../platform/auth/permissions.ts';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { NodeRegistry } from '../../platform/graphql/node-registry.ts';
import { payload, type Payload } from '../../platform/graphql/payload.ts';
import { type Connection, mapConnection } from '../../platform/paging/connection.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { TenantTreeService } from './tenant-tree.service.ts';
import type { TenantRow } from './tenant.entity.ts';
import { TENANT_USER_ERRORS } from './tenant.errors.ts';
import * as tenant from './tenant.input.ts';
import { TenantService } from './tenant.service.ts';
import { type TenantView, toTenantView, toViewerView, type ViewerView } from './tenant.view.ts';

@Resolver('Tenant')
export class TenantResolver {
  constructor(
    private readonly tree: TenantTreeService,
    private readonly tenants: TenantService,
    private readonly scope: TenantScope,
    nodes: NodeRegistry,
  ) {
    nodes.register('Tenant', { permission: 'tenants:read', get: async (key) => await this.tenant(key) });
  }

  @Query('viewer')
  @RequiresPermission(ANY_CREDENTIAL)
  viewer(): ViewerView {
    return toViewerView(this.scope.current());
  }

  @Query('tenant')
  @RequiresPermission('tenants:read')
  async tenant(@Args('id', idPipe('Tenant')) key: NodeKey): Promise<TenantView> {
    return this.#view(await this.tree.getTenant(key));
  }

  @Query('tenants')
  @RequiresPermission('tenants:read')
  async listTenants(
    @Args(inputPipe(tenant.listTenantsArgs)) args: tenant.ListTenantsArgs,
  ): Promise<Connection<TenantView>> {
    return mapConnection(await this.tree.listTenants(args), this.#view);
  }

  @ResolveField('children')
  @RequiresPermission('tenants:read')
  async children(
    @Parent() parent: TenantView,
    @Args(inputPipe(tenant.childrenArgs)) args: tenant.ChildrenArgs,
  ): Promise<Connection<TenantView>> {
    const parentId = fromGlobalId('Tenant', parent.id);
    return mapConnection(await this.tree.listTenants({ ...args, parentId }), this.#view);
  }

  @Mutation('createTenant')
  @RequiresPermission('tenants:write')
  async createTenant(
    @Args('input', inputPipe(tenant.createTenantInput)) input: tenant.CreateTenantInput,
  ): Promise<Payload<'tenant', TenantView>> {
    return await payload('tenant', TENANT_USER_ERRORS, this.tenants.createTenant(input).then(this.#view));
  }

  @Mutation('renameTenant')
  @RequiresPermission('tenants:write')
  async renameTenant(
    @Args('input', inputPipe(tenant.renameTenantInput)) input: tenant.RenameTenantInput,
  ): Promise<Payload<'tenant', TenantView>> {
    return await payload('tenant', TENANT_USER_ERRORS, this.tenants.renameTenant(input).then(this.#view));
  }

  @Mutation('suspendTenant')
  @RequiresPermission('tenants:write')
  async suspendTenant(
    @Args('input', inputPipe(tenant.suspendTenantInput)) input: tenant.SuspendTenantInput,
  ): Promise<Payload<'tenant', TenantView>> {
    return await payload('tenant', TENANT_USER_ERRORS, this.tenants.suspendTenant(input).then(this.#view));
  }

  @Mutation('resumeTenant')
  @RequiresPermission('tenants:write')
  async resumeTenant(
    @Args('input', inputPipe(tenant.resumeTenantInput)) input: tenant.ResumeTenantInput,
  ): Promise<Payload<'tenant', TenantView>> {
    return await payload('tenant', TENANT_USER_ERRORS, this.tenants.resumeTenant(input).then(this.#view));
  }

  readonly #view = (row: TenantRow): TenantView => toTenantView(row, this.scope.current());
}
