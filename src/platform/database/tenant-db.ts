import { AsyncLocalStorage } from 'node:async_hooks';
import { Inject, Injectable } from '@nestjs/common';
import type { DataSource, EntityManager } from 'typeorm';
import { AppError } from '../../kernel/errors.ts';
import { notFound, type NodeKey } from '../../kernel/global-id.ts';
import type { Actor } from '../auth/actor.ts';
import { TenantScope } from '../auth/tenant-scope.ts';
import { DATA_SOURCE } from './data-source.ts';
import { mayRunAgain, toDatabaseError } from './sql-state.ts';
import { inTransaction } from './transaction.ts';

/** The tenant that is meant, and what to say is missing where the caller may not see it. */
export type TenantTarget = Pick<NodeKey, 'type' | 'tenantId'>;

export type Work<T> = (em: EntityManager) => Promise<T>;

interface OpenTransaction {
  readonly em: EntityManager;
  readonly actor: Actor;
  readonly readRoot: string;
  writeTenant: string | null;
}

const ATTEMPTS = 3;

/**
 * The only way to tenants' rows, and the transaction itself. A call inside another joins its transaction where the
 * scope is the same and throws where it is not. Never await anything but the database inside.
 */
@Injectable()
export class TenantDb {
  readonly #open = new AsyncLocalStorage<OpenTransaction>();

  constructor(
    @Inject(DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly scope: TenantScope,
  ) {}

  /** Reads what the actor may see. Where Holdfast itself acts for a tenant, it may also write that tenant's rows. */
  async run<T>(work: Work<T>): Promise<T> {
    const actor = this.scope.current();
    return await this.#enter(actor, actor.tenantId, async (open) => await work(open.em));
  }

  /** Reads with the target's tenant as the root; NOT_FOUND, in the target's own words, where the actor can't see it. */
  async within<T>(target: TenantTarget, work: Work<T>): Promise<T> {
    const actor = this.scope.current();
    return await this.#enter(actor, target.tenantId, async (open) => {
      const rows: { seen: boolean }[] = await open.em.query('select $1::uuid = any (app.scope()) as seen', [
        target.tenantId,
      ]);
      if (rows[0]?.seen !== true) {
        throw notFound(target.type);
      }
      return await work(open.em);
    });
  }

  /** Writes rows of exactly the target's tenant. NOT_FOUND where the actor can't see it, TENANT_SUSPENDED where it is. */
  async write<T>(target: TenantTarget, work: Work<T>): Promise<T> {
    const actor = this.scope.current();
    return await this.#enter(actor, actor.tenantId, async (open) => {
      await this.#becomeWriter(open, target);
      return await work(open.em);
    });
  }

  async #becomeWriter(open: OpenTransaction, target: TenantTarget): Promise<void> {
    if (open.writeTenant === target.tenantId) {
      return;
    }
    if (open.writeTenant !== null) {
      throw new AppError('INTERNAL', 'A transaction writes one tenant; it was asked to write a second one.');
    }
    const rows: { seen: boolean; may: boolean }[] = await open.em.query(
      `select $1::uuid = any (app.scope()) as seen, app.may_change($1::uuid) as may,
              set_config('app.write_tenant', $1::text, true)`,
      [target.tenantId],
    );
    if (rows[0]?.seen !== true) {
      throw notFound(target.type);
    }
    if (!rows[0].may) {
      throw new AppError(
        'TENANT_SUSPENDED',
        'The tenant, or one above it, is suspended; nothing of it can be changed.',
      );
    }
    open.writeTenant = target.tenantId;
  }

  async #enter<T>(actor: Actor, readRoot: string, work: (open: OpenTransaction) => Promise<T>): Promise<T> {
    const open = this.#open.getStore();
    if (open !== undefined) {
      if (open.actor !== actor || open.readRoot !== readRoot) {
        throw new AppError('INTERNAL', 'A transaction of one scope was entered with another scope.');
      }
      return await work(open);
    }
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await inTransaction(this.dataSource, async (em) => {
          const opened = { em, actor, readRoot, writeTenant: actor.tokenId === null ? actor.tenantId : null };
          await setScope(opened);
          return await this.#open.run(opened, async () => await work(opened));
        });
      } catch (error) {
        if (attempt === ATTEMPTS || !mayRunAgain(error)) {
          throw toDatabaseError(error);
        }
      }
    }
  }
}

async function setScope({ em, actor, readRoot, writeTenant }: OpenTransaction): Promise<void> {
  await em.query(
    `select set_config('app.actor_tenant', $1, true), set_config('app.reach', $2, true),
            set_config('app.read_root', $3, true), set_config('app.write_tenant', $4, true),
            set_config('app.actor', $5, true)`,
    [actor.tenantId, actor.reach, readRoot, writeTenant ?? '', actor.name],
  );
}
