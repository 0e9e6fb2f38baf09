import type { RoleDatabase } from '../../platform/feed/sql.ts';

/** One event on its way to one endpoint, leased to this process for one attempt. */
export interface ClaimedDelivery {
  readonly tenantId: string;
  readonly id: string;
  readonly endpointId: string;
  readonly eventTenantId: string;
  readonly eventId: string;
  readonly body: string;
  /** Attempts, this one included; whoever settles must still hold this one. */
  readonly attempts: number;
  /** Since its first attempt was due. */
  readonly elapsedMs: number;
}

export interface ClaimOptions {
  readonly most: number;
  /** After this the attempt counts as lost and another process makes the next one. */
  readonly leaseMs: number;
  /** Endpoints that have enough attempts in flight: one slow receiver must not hold up all others. */
  readonly busyEndpointIds: readonly string[];
}

/** Takes deliveries that are due; the longest overdue first. */
export async function claimDeliveries(
  database: RoleDatabase,
  options: ClaimOptions,
): Promise<readonly ClaimedDelivery[]> {
  return database.query<ClaimedDelivery>(
    `update app.webhook_delivery d
        set attempts = d.attempts + 1, next_attempt_at = now() + $2 * interval '1 millisecond'
       from (select tenant_id, id from app.webhook_delivery
              where state = 'PENDING' and next_attempt_at <= now() and endpoint_id <> all ($3::uuid[])
              order by next_attempt_at
              limit $1 for update skip locked) due
      where d.tenant_id = due.tenant_id and d.id = due.id
     returning d.tenant_id as "tenantId", d.id, d.endpoint_id as "endpointId", d.event_tenant_id as "eventTenantId",
               d.event_id as "eventId", d.body, d.attempts,
               (extract(epoch from now() - d.first_due_at) * 1000)::float8 as "elapsedMs"`,
    [options.most, options.leaseMs, options.busyEndpointIds],
  );
}

export interface DeliveryTarget {
  readonly url: string;
  readonly state: 'ENABLED' | 'DISABLED' | 'GONE';
  /** The newest first, the previous one while it is still good. */
  readonly secrets: readonly SealedSecret[];
}

export interface SealedSecret {
  readonly tenantId: string;
  readonly secretId: string;
  readonly sealed: Buffer;
}

/** Where a delivery goes now, or null when its endpoint was deleted. */
export async function findTarget(database: RoleDatabase, delivery: ClaimedDelivery): Promise<DeliveryTarget | null> {
  const [target] = await database.query<Omit<DeliveryTarget, 'secrets'>>(
    'select url, state from app.webhook_endpoint where tenant_id = $1 and id = $2',
    [delivery.tenantId, delivery.endpointId],
  );
  if (target === undefined) {
    return null;
  }
  const secrets = await database.query<SealedSecret>(
    'select $1::text as "tenantId", secret_id as "secretId", sealed from app.webhook_secrets($1::uuid, $2)',
    [delivery.tenantId, delivery.endpointId],
  );
  return { ...target, secrets };
}
