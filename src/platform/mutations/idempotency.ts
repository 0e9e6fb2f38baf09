import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AppError } from '../../kernel/errors.ts';
import type { NodeType } from '../../kernel/global-id.ts';
import { TenantScope } from '../auth/tenant-scope.ts';
import { isLockTimeout } from '../database/sql-state.ts';

export interface IdempotentRequest {
  readonly tenantId: string;
  readonly operation: string;
  readonly key: string;
  readonly fingerprint: Buffer;
}

/** Which object came of the first request. */
export interface Outcome {
  readonly type: NodeType;
  readonly id: string;
}

const KEPT_FOR = '48 hours';
const WAIT_FOR_THE_FIRST = '2s';

/**
 * The key's row is written in the mutation's own transaction, so it stands exactly when the change does. A request that
 * failed changed nothing and left no row: sent again, it is tried again.
 */
@Injectable()
export class Idempotency {
  constructor(private readonly scope: TenantScope) {}

  /** Claims the key and returns null, or returns what the first request came to. */
  async claim(em: EntityManager, request: IdempotentRequest): Promise<Outcome | null> {
    const actor = this.scope.current().name;
    const { tenantId, operation, key, fingerprint } = request;
    await em.query(
      `delete from app.idempotency_key
       where tenant_id = $1 and actor = $2 and operation = $3 and key = $4 and expires_at < now()`,
      [tenantId, actor, operation, key],
    );
    if (await this.#insert(em, request, actor)) {
      return null;
    }
    const rows: { fingerprint: Buffer; outcome: Outcome }[] = await em.query(
      `select fingerprint, outcome from app.idempotency_key
       where tenant_id = $1 and actor = $2 and operation = $3 and key = $4`,
      [tenantId, actor, operation, key],
    );
    const first = rows[0];
    if (first === undefined) {
      throw inProgress();
    }
    if (!first.fingerprint.equals(fingerprint)) {
      throw new AppError('IDEMPOTENCY_KEY_REUSED', 'This idempotency key came with another request before.');
    }
    return first.outcome;
  }

  async settle(em: EntityManager, { tenantId, operation, key }: IdempotentRequest, outcome: Outcome): Promise<void> {
    await em.query(
      `update app.idempotency_key set outcome = $5 where tenant_id = $1 and actor = $2 and operation = $3 and key = $4`,
      [tenantId, this.scope.current().name, operation, key, JSON.stringify(outcome)],
    );
  }

  /** Waits a moment for another request with the same key; true where the row is now ours. */
  async #insert(em: EntityManager, request: IdempotentRequest, actor: string): Promise<boolean> {
    await em.query(`select set_config('lock_timeout', $1, true)`, [WAIT_FOR_THE_FIRST]);
    try {
      const rows: unknown[] = await em.query(
        `insert into app.idempotency_key (tenant_id, actor, operation, key, fingerprint, outcome, expires_at)
         values ($1, $2, $3, $4, $5, '{}', now() + $6::interval)
         on conflict do nothing returning 1`,
        [request.tenantId, actor, request.operation, request.key, request.fingerprint, KEPT_FOR],
      );
      await em.query(`select set_config('lock_timeout', '0', true)`);
      return rows.length === 1;
    } catch (error) {
      throw isLockTimeout(error) ? inProgress() : error;
    }
  }
}

function inProgress(): AppError {
  return new AppError('IDEMPOTENCY_IN_PROGRESS', 'A request with this idempotency key is still running.', {
    retryAfterMs: 1000,
  });
}
