import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId } from '../../platform/new-id.ts';
import { SecretBox } from '../../platform/secrets/sealer.ts';
import type { Brand } from '../../kernel/brand.ts';
import { newWebhookSecret } from './webhook-signature.ts';

export interface MadeSecret {
  readonly secretId: string;
  /** Shown once. */
  readonly secret: string;
}

/** Signing secrets, sealed in `app.secret`. */
@Injectable()
export class WebhookSecretStore {
  constructor(private readonly box: SecretBox) {}

  async make(em: EntityManager, tenantId: string): Promise<MadeSecret> {
    const secretId = newId<Brand<string, 'SecretId'>>();
    const secret = newWebhookSecret();
    const sealed = this.box.seal(secret, { tenantId, secretId, purpose: 'WEBHOOK_SECRET' });
    await em.query(`insert into app.secret (tenant_id, id, purpose, sealed) values ($1, $2, 'WEBHOOK_SECRET', $3)`, [
      tenantId,
      secretId,
      sealed,
    ]);
    return { secretId, secret };
  }

  /** For secrets that nothing names any more. */
  async forget(em: EntityManager, tenantId: string, secretIds: readonly (string | null)[]): Promise<void> {
    await em.query('delete from app.secret where tenant_id = $1 and id = any ($2::uuid[])', [
      tenantId,
      secretIds.filter((id) => id !== null),
    ]);
  }
}
