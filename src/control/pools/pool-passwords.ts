import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { PoolId } from '../../kernel/ids.ts';
import { SecretBox, type SecretPlace } from '../../platform/secrets/sealer.ts';
import type { PoolRow } from './pool.entity.ts';

type PoolKey = Pick<PoolRow, 'tenantId' | 'id'>;

/**
 * A pool has one secret, and the secret has the pool's own id: whoever resolves somebody's pool through a grant knows
 * what its sealed password is bound to.
 */
@Injectable()
export class PoolPasswords {
  constructor(private readonly box: SecretBox) {}

  async insert(em: EntityManager, pool: PoolKey, password: string): Promise<PoolId> {
    await em.query(`insert into app.secret (tenant_id, id, purpose, sealed) values ($1, $2, 'POOL_PASSWORD', $3)`, [
      pool.tenantId,
      pool.id,
      this.box.seal(password, placeOf(pool)),
    ]);
    return pool.id;
  }

  async replace(em: EntityManager, pool: PoolKey, password: string): Promise<void> {
    const sealed = this.box.seal(password, placeOf(pool));
    await em.query('update app.secret set sealed = $3 where tenant_id = $1 and id = $2', [
      pool.tenantId,
      pool.id,
      sealed,
    ]);
  }

  async remove(em: EntityManager, { tenantId, id }: PoolKey): Promise<void> {
    await em.query('delete from app.secret where tenant_id = $1 and id = $2', [tenantId, id]);
  }

  async read(em: EntityManager, pool: PoolKey): Promise<string> {
    const rows: { sealed: Buffer }[] = await em.query(
      'select sealed from app.secret where tenant_id = $1 and id = $2',
      [pool.tenantId, pool.id],
    );
    return this.open(pool, rows[0]?.sealed ?? Buffer.alloc(0));
  }

  /** Opens what `app.resolve_vm` or `app.resolve_placement` gave for this pool. KEY_MISSING where the key is another one. */
  open(pool: PoolKey, sealed: Buffer): string {
    return this.box.open(sealed, placeOf(pool));
  }
}

function placeOf({ tenantId, id }: PoolKey): SecretPlace {
  return { tenantId, secretId: id, purpose: 'POOL_PASSWORD' };
}
