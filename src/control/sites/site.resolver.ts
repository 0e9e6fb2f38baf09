import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import { type NodeKey, toGlobalId } from '../../kernel/global-id.ts';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { NodeRegistry } from '../../platform/graphql/node-registry.ts';
import { payload, type Payload } from '../../platform/graphql/payload.ts';
import { type Connection, mapConnection } from '../../platform/paging/connection.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { SITE_USER_ERRORS } from './site.errors.ts';
import * as site from './site.input.ts';
import { SiteService } from './site.service.ts';
import { type SiteView, toSiteView } from './site.view.ts';

@Resolver()
export class SiteResolver {
  constructor(
    private readonly sites: SiteService,
    nodes: NodeRegistry,
  ) {
    nodes.register('Site', { permission: 'sites:read', get: async (key) => toSiteView(await sites.getSite(key)) });
  }

  @Query('site')
  @RequiresPermission('sites:read')
  async site(@Args('id', idPipe('Site')) key: NodeKey): Promise<SiteView> {
    return toSiteView(await this.sites.getSite(key));
  }

  @Query('sites')
  @RequiresPermission('sites:read')
  async listSites(@Args(inputPipe(site.listSitesArgs)) args: site.ListSitesArgs): Promise<Connection<SiteView>> {
    return mapConnection(await this.sites.listSites(args), toSiteView);
  }

  @Mutation('createSite')
  @RequiresPermission('sites:write')
  async createSite(
    @Args('input', inputPipe(site.createSiteInput)) input: site.CreateSiteInput,
  ): Promise<Payload<'site', SiteView>> {
    return await payload('site', SITE_USER_ERRORS, this.sites.createSite(input).then(toSiteView));
  }

  @Mutation('updateSite')
  @RequiresPermission('sites:write')
  async updateSite(
    @Args('input', inputPipe(site.updateSiteInput)) input: site.UpdateSiteInput,
  ): Promise<Payload<'site', SiteView>> {
    return await payload('site', SITE_USER_ERRORS, this.sites.updateSite(input).then(toSiteView));
  }

  @Mutation('deleteSite')
  @RequiresPermission('sites:write')
  async deleteSite(
    @Args('input', inputPipe(site.deleteSiteInput)) input: site.DeleteSiteInput,
  ): Promise<Payload<'deletedSiteId', string>> {
    const gone = this.sites.deleteSite(input).then(({ type, tenantId, id }) => toGlobalId(type, tenantId, id));
    return await payload('deletedSiteId', SITE_USER_ERRORS, gone);
  }
}
