import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { NodeKey } from '../../kernel/global-id.ts';
import type { WebhookEndpointId } from '../../kernel/ids.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { checkVersion, updateVersioned } from '../../platform/database/versioned-update.ts';
import { Mutations } from '../../platform/mutations/mutations.ts';
import { newId } from '../../platform/new-id.ts';
import type { Connection } from '../../platform/paging/connection.ts';
import { Pager } from '../../platform/paging/pager.ts';
import { getEndpoint, toEndpointIds } from './get-webhook.ts';
import { WebhookEndpointRow } from './webhook-endpoint.entity.ts';
import { WebhookParts } from './webhook-parts.ts';
import { requireHearing, requireReach } from './webhook-rights.ts';
import type {
  CreateEndpointInput,
  DeleteEndpointInput,
  ListEndpointsArgs,
  RotateSecretInput,
  UpdateEndpointInput,
} from './webhook.input.ts';

/** An endpoint whose secret was just made; null where this is a replay, since a secret is shown once. */
export interface EndpointWithSecret {
  readonly endpoint: WebhookEndpointRow;
  readonly secret: string | null;
}

const DEFAULT_OVERLAP_SECONDS = 86_400;

@Injectable()
export class WebhookEndpointService {
  constructor(
    private readonly scope: TenantScope,
    private readonly db: TenantDb,
    private readonly mutations: Mutations,
    private readonly pager: Pager,
    private readonly parts: WebhookParts,
  ) {}

  async getWebhookEndpoint(key: NodeKey): Promise<WebhookEndpointRow> {
    return await this.db.run(async (em) => await getEndpoint(em, key));
  }

  /** The endpoints of one tenant, newest first. */
  async listWebhookEndpoints({ tenantId, ...page }: ListEndpointsArgs): Promise<Connection<WebhookEndpointRow>> {
    const tenant = this.scope.tenantOr(tenantId);
    return await this.db.within(tenant, async (em) => {
      const query = em
        .createQueryBuilder(WebhookEndpointRow, 'endpoint')
        .where('endpoint.tenant_id = :tenantId', tenant);
      const sort = [
        { column: 'endpoint.created_at', type: 'timestamptz' },
        { column: 'endpoint.id', type: 'uuid' },
      ] as const;
      const list = `webhookEndpoints|${tenant.tenantId}|newest`;
      return await this.pager.page(query, { list, sort, direction: 'DESC' }, page);
    });
  }

  async createWebhookEndpoint(input: CreateEndpointInput): Promise<EndpointWithSecret> {
    const tenant = this.scope.tenantOr(input.tenantId);
    const { name, eventTypes, reach = 'SELF' } = input;
    const actor = this.scope.current();
    requireHearing(actor, reach);
    const url = this.parts.urls.accept(input.url);
    return await this.mutations.run({
      name: 'createWebhookEndpoint',
      target: tenant,
      input,
      work: async (em) => {
        const { tenantId } = tenant;
        const subject: NodeKey = { type: 'WebhookEndpoint', tenantId, id: newId<WebhookEndpointId>() };
        const { secretId, secret } = await this.parts.secrets.make(em, tenantId);
        const made = { madeThrough: [...actor.through] };
        await em.insert(WebhookEndpointRow, {
          ...toEndpointIds(subject),
          name,
          url,
          eventTypes,
          reach,
          secretId,
          ...made,
        });
        const value = { endpoint: await getEndpoint(em, subject), secret };
        return { value, subject, event: 'webhook_endpoint.created', data: { name, url, eventTypes, reach } };
      },
      replay: async (em, id) => await withoutSecret(em, { type: 'WebhookEndpoint', tenantId: tenant.tenantId, id }),
    });
  }

  async updateWebhookEndpoint(input: UpdateEndpointInput): Promise<WebhookEndpointRow> {
    const { webhookEndpointId: key, expectedVersion } = input;
    const changes = changesOf(input, (url) => this.parts.urls.accept(url));
    return await this.mutations.run({
      name: 'updateWebhookEndpoint',
      target: key,
      input,
      work: async (em) => {
        const row = await getEndpoint(em, key);
        checkVersion(row, expectedVersion);
        requireHearing(this.scope.current(), row.reach);
        const before = { name: row.name, url: row.url, eventTypes: row.eventTypes };
        const value = await updateVersioned<WebhookEndpointRow>(em, WebhookEndpointRow, row, {
          ...changes,
          ...this.#handled(row),
        });
        return { value, subject: key, event: 'webhook_endpoint.updated', data: changes, detail: { before } };
      },
      replay: async (em) => await getEndpoint(em, key),
    });
  }

  /** Makes a new secret; for the overlap, attempts carry a signature by each. */
  async rotateWebhookSecret(input: RotateSecretInput): Promise<EndpointWithSecret> {
    const { webhookEndpointId: key, expectedVersion, overlapSeconds = DEFAULT_OVERLAP_SECONDS } = input;
    return await this.mutations.run({
      name: 'rotateWebhookSecret',
      target: key,
      input,
      work: async (em) => {
        const row = await getEndpoint(em, key);
        checkVersion(row, expectedVersion);
        requireHearing(this.scope.current(), row.reach);
        const { secretId, secret } = await this.parts.secrets.make(em, row.tenantId);
        const { previousSecretId: outdated } = row;
        const previousSecretExpiresAt = new Date(Date.now() + overlapSeconds * 1000);
        const changes = { secretId, previousSecretId: row.secretId, previousSecretExpiresAt, ...this.#handled(row) };
        const endpoint = await updateVersioned(em, WebhookEndpointRow, row, changes);
        await this.parts.secrets.forget(em, row.tenantId, [outdated]);
        const data = { previousSecretExpiresAt: previousSecretExpiresAt.toISOString() };
        return { value: { endpoint, secret }, subject: key, event: 'webhook_endpoint.secret_rotated', data };
      },
      replay: async (em) => await withoutSecret(em, key),
    });
  }

  /** Gives back the key of what is gone; its deliveries go with it. */
  async deleteWebhookEndpoint(input: DeleteEndpointInput): Promise<NodeKey> {
    const { webhookEndpointId: key, expectedVersion } = input;
    return await this.mutations.run({
      name: 'deleteWebhookEndpoint',
      target: key,
      input,
      work: async (em) => {
        const row = await getEndpoint(em, key);
        checkVersion(row, expectedVersion);
        requireReach(this.scope.current(), row.reach);
        await em.delete(WebhookEndpointRow, toEndpointIds(key));
        await this.parts.secrets.forget(em, row.tenantId, [row.secretId, row.previousSecretId]);
        return { value: key, subject: key, event: 'webhook_endpoint.deleted', data: { name: row.name } };
      },
      replay: async () => key,
    });
  }

  /** Who turns an endpoint elsewhere, or knows its secret, has had a hand in it: it stops with them too. */
  #handled({ madeThrough }: WebhookEndpointRow): Pick<WebhookEndpointRow, 'madeThrough'> {
    return { madeThrough: [...new Set([...madeThrough, ...this.scope.current().through])] };
  }
}

type Changes = Partial<Pick<WebhookEndpointRow, 'name' | 'url' | 'eventTypes'>>;

function changesOf({ name, url, eventTypes }: UpdateEndpointInput, accept: (url: string) => string): Changes {
  return {
    ...(name === undefined ? {} : { name }),
    ...(url === undefined ? {} : { url: accept(url) }),
    ...(eventTypes === undefined ? {} : { eventTypes }),
  };
}

async function withoutSecret(em: EntityManager, key: NodeKey): Promise<EndpointWithSecret> {
  return { endpoint: await getEndpoint(em, key), secret: null };
}
