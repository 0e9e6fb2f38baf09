import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { checkVersion, updateVersioned } from '../../platform/database/versioned-update.ts';
import { Mutations } from '../../platform/mutations/mutations.ts';
import { getEndpoint } from './get-webhook.ts';
import { WebhookEndpointRow } from './webhook-endpoint.entity.ts';
import { requireHearing, requireReach } from './webhook-rights.ts';
import type { SwitchEndpointInput } from './webhook.input.ts';

/** Turns endpoints on and off. */
@Injectable()
export class WebhookSwitchService {
  constructor(
    private readonly scope: TenantScope,
    private readonly mutations: Mutations,
  ) {}

  /**
   * Events from now on are sent again, also after the receiver had said that it is gone. Whoever does it answers for the
   * endpoint as it stands: it stops with that credential, and no longer with those before.
   */
  async enableWebhookEndpoint(input: SwitchEndpointInput): Promise<WebhookEndpointRow> {
    return await this.#switch('enableWebhookEndpoint', 'ENABLED', input);
  }

  /** Nothing more is sent. What was still on its way ends as FAILED, and may be replayed. */
  async disableWebhookEndpoint(input: SwitchEndpointInput): Promise<WebhookEndpointRow> {
    return await this.#switch('disableWebhookEndpoint', 'DISABLED', input);
  }

  async #switch(name: string, state: 'ENABLED' | 'DISABLED', input: SwitchEndpointInput): Promise<WebhookEndpointRow> {
    const { webhookEndpointId: key, expectedVersion } = input;
    return await this.mutations.run({
      name,
      target: key,
      input,
      work: async (em) => {
        const row = await getEndpoint(em, key);
        checkVersion(row, expectedVersion);
        const before = row.state;
        const actor = this.scope.current();
        const enabled = state === 'ENABLED';
        (enabled ? requireHearing : requireReach)(actor, row.reach);
        const made = enabled ? { madeThrough: [...actor.through] } : {};
        const changes = { state, failingSince: null, alarmedAt: null, ...made };
        const value = await updateVersioned(em, WebhookEndpointRow, row, changes);
        if (!enabled) {
          await endPending(em, value);
        }
        const event = enabled ? 'webhook_endpoint.enabled' : 'webhook_endpoint.disabled';
        return { value, subject: key, event, data: { name: row.name }, detail: { before: { state: before } } };
      },
      replay: async (em) => await getEndpoint(em, key),
    });
  }
}

async function endPending(em: EntityManager, { tenantId, id }: WebhookEndpointRow): Promise<void> {
  await em.query(
    `update app.webhook_delivery set state = 'FAILED', last_error = 'The endpoint was disabled.'
      where tenant_id = $1 and endpoint_id = $2 and state = 'PENDING'`,
    [tenantId, id],
  );
}
