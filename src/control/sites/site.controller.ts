import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import type { NodeKey } from '../../kernel/global-id.ts';
import { type ListBody, mapConnection, toListBody } from '../../platform/paging/connection.ts';
import { IdempotencyKey, IfMatch, OptionalIdempotencyKey } from '../../platform/rest/headers.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import * as site from './site.input.ts';
import { SiteService } from './site.service.ts';
import { siteView, type SiteView, toSiteView } from './site.view.ts';

@Controller('v1/sites')
export class SiteController {
  constructor(private readonly sites: SiteService) {}

  @Get()
  @Operation({
    summary: 'List the sites of a tenant, by name',
    permission: 'sites:read',
    returns: siteView,
    list: true,
    query: { tenantId: 'Tenant' },
  })
  async listSites(@Query(inputPipe(site.listSitesQuery)) query: site.ListSitesArgs): Promise<ListBody<SiteView>> {
    return toListBody(mapConnection(await this.sites.listSites(query), toSiteView));
  }

  @Get(':siteId')
  @Operation({ summary: 'Read a site', permission: 'sites:read', returns: siteView, ids: { siteId: 'Site' } })
  async getSite(@Param('siteId', idPipe('Site')) siteId: NodeKey): Promise<SiteView> {
    return toSiteView(await this.sites.getSite(siteId));
  }

  @Post()
  @Operation({
    summary: 'Create a site',
    permission: 'sites:write',
    status: 201,
    body: site.createSiteBody,
    returns: siteView,
    idempotencyKey: 'required',
  })
  async createSite(
    @Body(inputPipe(site.createSiteBody)) body: site.CreateSiteBody,
    @IdempotencyKey() idempotencyKey: string,
  ): Promise<SiteView> {
    return toSiteView(await this.sites.createSite({ ...body, idempotencyKey }));
  }

  @Patch(':siteId')
  @Operation({
    summary: 'Rename a site',
    permission: 'sites:write',
    body: site.updateSiteBody,
    returns: siteView,
    ids: { siteId: 'Site' },
    idempotencyKey: 'optional',
    ifMatch: true,
  })
  async updateSite(
    @Param('siteId', idPipe('Site')) siteId: NodeKey,
    @Body(inputPipe(site.updateSiteBody)) body: site.UpdateSiteBody,
    @IfMatch() expectedVersion: number | undefined,
    @OptionalIdempotencyKey() idempotencyKey: string | undefined,
  ): Promise<SiteView> {
    return toSiteView(await this.sites.updateSite({ ...body, siteId, expectedVersion, idempotencyKey }));
  }

  @Delete(':siteId')
  @HttpCode(204)
  @Operation({
    summary: 'Delete a site that has no pools',
    permission: 'sites:write',
    status: 204,
    ids: { siteId: 'Site' },
    idempotencyKey: 'required',
    ifMatch: true,
  })
  async deleteSite(
    @Param('siteId', idPipe('Site')) siteId: NodeKey,
    @IfMatch() expectedVersion: number | undefined,
    @IdempotencyKey() idempotencyKey: string,
  ): Promise<void> {
    await this.sites.deleteSite({ siteId, expectedVersion, idempotencyKey });
  }
}
