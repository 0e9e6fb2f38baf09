import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { notFound, type NodeKey } from '../../kernel/global-id.ts';
import type { SiteId } from '../../kernel/ids.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { onConstraint } from '../../platform/database/sql-state.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { checkVersion, updateVersioned } from '../../platform/database/versioned-update.ts';
import { Mutations } from '../../platform/mutations/mutations.ts';
import { newId } from '../../platform/new-id.ts';
import type { Connection } from '../../platform/paging/connection.ts';
import { Pager } from '../../platform/paging/pager.ts';
import { SiteRow } from './site.entity.ts';
import { siteInUse, siteNameTaken } from './site.errors.ts';
import type { CreateSiteInput, DeleteSiteInput, ListSitesArgs, UpdateSiteInput } from './site.input.ts';

@Injectable()
export class SiteService {
  constructor(
    private readonly scope: TenantScope,
    private readonly db: TenantDb,
    private readonly mutations: Mutations,
    private readonly pager: Pager,
  ) {}

  async getSite(key: NodeKey): Promise<SiteRow> {
    return await this.db.run(async (em) => await getSite(em, key));
  }

  /** The sites of one tenant, by name. */
  async listSites({ tenantId, ...page }: ListSitesArgs): Promise<Connection<SiteRow>> {
    const tenant = this.scope.tenantOr(tenantId);
    return await this.db.within(tenant, async (em) => {
      const query = em.createQueryBuilder(SiteRow, 'site').where('site.tenant_id = :tenantId', tenant);
      const sort = [
        { column: 'lower(site.name)', type: 'text' },
        { column: 'site.id', type: 'uuid' },
      ] as const;
      return await this.pager.page(query, { list: `sites|${tenant.tenantId}|name`, sort, direction: 'ASC' }, page);
    });
  }

  async createSite(input: CreateSiteInput): Promise<SiteRow> {
    const tenant = this.scope.tenantOr(input.tenantId);
    return await this.mutations.run({
      name: 'createSite',
      target: tenant,
      input,
      work: async (em) => {
        const subject: NodeKey = { type: 'Site', tenantId: tenant.tenantId, id: newId<SiteId>() };
        await em
          .insert(SiteRow, { ...toIds(subject), name: input.name })
          .catch(onConstraint({ site_name: () => siteNameTaken(input.name) }));
        const value = await getSite(em, subject);
        return { value, subject, event: 'site.created', data: { name: input.name } };
      },
      replay: async (em, id) => await getSite(em, { type: 'Site', tenantId: tenant.tenantId, id }),
    });
  }

  async updateSite(input: UpdateSiteInput): Promise<SiteRow> {
    const { siteId, name, expectedVersion } = input;
    return await this.mutations.run({
      name: 'updateSite',
      target: siteId,
      input,
      work: async (em) => {
        const row = await getSite(em, siteId);
        checkVersion(row, expectedVersion);
        const before = row.name;
        const value = await updateVersioned(em, SiteRow, row, { name }).catch(
          onConstraint({ site_name: () => siteNameTaken(name) }),
        );
        return { value, subject: siteId, event: 'site.updated', data: { name }, detail: { before: { name: before } } };
      },
      replay: async (em, id) => await getSite(em, { ...siteId, id }),
    });
  }

  /** Gives back the key of what is gone. */
  async deleteSite(input: DeleteSiteInput): Promise<NodeKey> {
    const { siteId, expectedVersion } = input;
    return await this.mutations.run({
      name: 'deleteSite',
      target: siteId,
      input,
      work: async (em) => {
        const row = await getSite(em, siteId);
        checkVersion(row, expectedVersion);
        await em
          .delete(SiteRow, { tenantId: row.tenantId, id: row.id })
          .catch(onConstraint({ pool_tenant_id_site_id_fkey: siteInUse }));
        return { value: siteId, subject: siteId, event: 'site.deleted', data: { name: row.name } };
      },
      replay: async () => siteId,
    });
  }
}

async function getSite(em: EntityManager, { tenantId, id }: NodeKey): Promise<SiteRow> {
  const row = await em.findOneBy(SiteRow, toIds({ tenantId, id }));
  if (row === null) {
    throw notFound('Site');
  }
  return row;
}

function toIds({ tenantId, id }: Pick<NodeKey, 'tenantId' | 'id'>): Pick<SiteRow, 'tenantId' | 'id'> {
  return { tenantId: tenantId as SiteRow['tenantId'], id: id as SiteId };
}
