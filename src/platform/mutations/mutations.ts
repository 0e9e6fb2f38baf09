import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { NodeKey } from '../../kernel/global-id.ts';
import { TenantDb, type TenantTarget } from '../database/tenant-db.ts';
import { AuditWriter } from './audit-writer.ts';
import { EventWriter } from './event-writer.ts';
import { fingerprintOf } from './fingerprint.ts';
import { Idempotency, type IdempotentRequest } from './idempotency.ts';
import type { JsonObject } from './json.ts';

export interface Mutation<T> {
  /** The mutation's name, as the SDL has it. */
  readonly name: string;
  /** The tenant whose rows are written, and what is said to be missing where the actor can't see it. */
  readonly target: TenantTarget;
  /** What the client asked for: the fingerprint of the idempotency key. Secrets may be in it; only a hash is kept. */
  readonly input: { readonly idempotencyKey?: string | undefined };
  /** Does it, inside the transaction; nothing but the database may be awaited. */
  work(em: EntityManager): Promise<Change<T>>;
  /** Reads again what the first request with this key came to. A secret that was shown once stays unshown. */
  replay(em: EntityManager, id: string): Promise<T>;
}

export interface Change<T> {
  readonly value: T;
  readonly subject: NodeKey;
  /** The event's type: `site.created`. */
  readonly event: string;
  readonly data?: JsonObject;
  /** What the audit entry says beyond the event's data. */
  readonly detail?: JsonObject;
}

/**
 * Every change goes through here: one transaction with the tenant's scope, the idempotency key, the change itself, its
 * event and its audit entry. So none of them can be forgotten, and none stands without the others.
 */
@Injectable()
export class Mutations {
  constructor(
    private readonly db: TenantDb,
    private readonly idempotency: Idempotency,
    private readonly events: EventWriter,
    private readonly audit: AuditWriter,
  ) {}

  async run<T>(mutation: Mutation<T>): Promise<T> {
    return await this.db.write(mutation.target, async (em) => {
      const request = requestOf(mutation);
      const outcome = request === null ? null : await this.idempotency.claim(em, request);
      if (outcome !== null) {
        return await mutation.replay(em, outcome.id);
      }
      const { value, subject, event, data = {}, detail = {} } = await mutation.work(em);
      const { tenantId } = mutation.target;
      await this.events.write(em, { tenantId, type: event, subject, data });
      await this.audit.write(em, { tenantId, action: mutation.name, subject, detail: { ...data, ...detail } });
      if (request !== null) {
        await this.idempotency.settle(em, request, { type: subject.type, id: subject.id });
      }
      return value;
    });
  }
}

function requestOf({ name, target, input }: Mutation<unknown>): IdempotentRequest | null {
  const key = input.idempotencyKey;
  return key === undefined
    ? null
    : { tenantId: target.tenantId, operation: name, key, fingerprint: fingerprintOf(input) };
}
