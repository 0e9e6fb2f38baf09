import type { RoleDatabase, Sql } from '../../platform/feed/sql.ts';
import type { ClaimedDelivery } from './delivery-queue.ts';
import type { WebhookAnswer } from './post-webhook.ts';
import { writeEndpointEvent } from './endpoint-events.ts';

export interface SettleOptions {
  /** Until the next attempt; null: there is none. */
  readonly pauseMs: number | null;
  /** How long an endpoint fails before others are told. */
  readonly alarmAfterMs: number;
}

const HELD = 'tenant_id = $1 and id = $2 and attempts = $3';

/** Writes what came of an attempt. Does nothing when the lease has passed to somebody else meanwhile. */
export async function settleDelivery(
  database: RoleDatabase,
  delivery: ClaimedDelivery,
  answer: WebhookAnswer,
  options: SettleOptions,
): Promise<void> {
  await database.transaction(async (sql) => {
    if (answer.outcome === 'DELIVERED') {
      await settleDelivered(sql, delivery, answer);
    } else if (answer.outcome === 'GONE') {
      await settleGone(sql, delivery, answer);
    } else {
      await settleFailed(sql, delivery, answer, options);
    }
  });
}

/** Ends a delivery whose endpoint takes no more, without an attempt. */
export async function dropDelivery(database: RoleDatabase, delivery: ClaimedDelivery, why: string): Promise<void> {
  await database.query(
    `update app.webhook_delivery set state = 'FAILED', attempts = attempts - 1, last_error = $4 where ${HELD}`,
    [delivery.tenantId, delivery.id, delivery.attempts, why],
  );
}

async function settleDelivered(sql: Sql, delivery: ClaimedDelivery, answer: WebhookAnswer): Promise<void> {
  await sql.query(
    `update app.webhook_delivery
        set state = 'DELIVERED', delivered_at = now(), last_status = $4, last_error = null where ${HELD}`,
    [delivery.tenantId, delivery.id, delivery.attempts, answer.status],
  );
  const [recovered] = await sql.query<{ alarmedAt: Date | null }>(
    `update app.webhook_endpoint set failing_since = null, alarmed_at = null, updated_at = now()
      where tenant_id = $1 and id = $2 and failing_since is not null
     returning old.alarmed_at as "alarmedAt"`,
    [delivery.tenantId, delivery.endpointId],
  );
  if (recovered !== undefined && recovered.alarmedAt !== null) {
    await writeEndpointEvent(sql, delivery, 'webhook_endpoint.recovered', {});
  }
}

async function settleFailed(
  sql: Sql,
  delivery: ClaimedDelivery,
  answer: WebhookAnswer,
  options: SettleOptions,
): Promise<void> {
  await sql.query(
    `update app.webhook_delivery
        set state = case when $6::float8 is null then 'FAILED' else 'PENDING' end,
            next_attempt_at = now() + coalesce($6, 0) * interval '1 millisecond', last_status = $4, last_error = $5
      where ${HELD}`,
    [delivery.tenantId, delivery.id, delivery.attempts, answer.status, answer.error, options.pauseMs],
  );
  const [failing] = await sql.query<{ alarmed: boolean; since: Date }>(
    `update app.webhook_endpoint
        set failing_since = coalesce(failing_since, now()), updated_at = now(),
            alarmed_at = case when now() - coalesce(failing_since, now()) >= $3 * interval '1 millisecond' then now() end
      where tenant_id = $1 and id = $2 and state = 'ENABLED' and alarmed_at is null
        and (failing_since is null or now() - failing_since >= $3 * interval '1 millisecond')
     returning alarmed_at is not null as alarmed, failing_since as since`,
    [delivery.tenantId, delivery.endpointId, options.alarmAfterMs],
  );
  if (failing?.alarmed === true) {
    const data = { failingSince: failing.since.toISOString(), lastStatus: answer.status, lastError: answer.error };
    await writeEndpointEvent(sql, delivery, 'webhook_endpoint.failing', data);
  }
}

async function settleGone(sql: Sql, delivery: ClaimedDelivery, answer: WebhookAnswer): Promise<void> {
  await sql.query(`update app.webhook_delivery set last_status = $4, last_error = $5 where ${HELD}`, [
    delivery.tenantId,
    delivery.id,
    delivery.attempts,
    answer.status,
    answer.error,
  ]);
  const gone = await sql.query(
    `update app.webhook_endpoint set state = 'GONE', updated_at = now(), version = version + 1
      where tenant_id = $1 and id = $2 and state = 'ENABLED' returning id`,
    [delivery.tenantId, delivery.endpointId],
  );
  await sql.query(
    `update app.webhook_delivery
        set state = 'FAILED', last_error = coalesce(last_error, 'The receiver said that it is gone (410).')
      where tenant_id = $1 and endpoint_id = $2 and state = 'PENDING'`,
    [delivery.tenantId, delivery.endpointId],
  );
  if (gone.length > 0) {
    await writeEndpointEvent(sql, delivery, 'webhook_endpoint.gone', { lastStatus: answer.status });
  }
}
