import { Inject, Injectable } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { type TenantId, toId } from '../../kernel/ids.ts';
import { DATA_SOURCE } from '../database/data-source.ts';
import { toDatabaseError } from '../database/sql-state.ts';
import { hashApiToken, newApiToken } from './api-token.ts';

export interface FirstAdministrator {
  readonly tenantId: TenantId;
  /** Shown once, here; only its hash is stored. */
  readonly token: string;
}

const DAY_MS = 86_400_000;
const LIFETIME_DAYS = 90;

/** Makes the root of the tenant tree and its first token, both once in an installation's life. */
@Injectable()
export class FirstStart {
  constructor(@Inject(DATA_SOURCE) private readonly dataSource: DataSource) {}

  /** Null where the installation has been started before. */
  async createProvider(name: string): Promise<FirstAdministrator | null> {
    try {
      return await this.dataSource.transaction(async (em) => {
        const [made]: { id: string | null }[] = await em.query('select app.create_provider($1) as id', [name]);
        if (made?.id === null || made === undefined) {
          return null;
        }
        const token = newApiToken();
        const expiry = new Date(Date.now() + LIFETIME_DAYS * DAY_MS);
        await em.query('select app.create_first_token($1, $2, $3, $4)', [
          made.id,
          hashApiToken(token),
          ['OWNER'],
          expiry,
        ]);
        return { tenantId: toId<TenantId>(made.id), token };
      });
    } catch (error) {
      throw toDatabaseError(error);
    }
  }
}
