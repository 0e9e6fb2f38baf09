import { Inject, Injectable } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { type TokenId, toId } from '../../kernel/ids.ts';
import { DATA_SOURCE } from '../database/data-source.ts';
import { toDatabaseError } from '../database/sql-state.ts';
import { isAllowedAddress } from './address-list.ts';
import { hashApiToken, looksLikeApiToken } from './api-token.ts';
import type { Actor, Reach } from './actor.ts';
import { expandScopes } from './permissions.ts';

interface TokenRow {
  readonly tenant_id: string;
  readonly token_id: string;
  readonly scopes: string[];
  readonly reach: Reach;
  readonly addresses: string[];
  readonly through: string[];
}

/** Hash in, actor out: the one look-up that happens before a tenant is known. */
@Injectable()
export class TokenAuthenticator {
  constructor(@Inject(DATA_SOURCE) private readonly dataSource: DataSource) {}

  /** Null where the token is malformed, unknown, expired, revoked, or comes from an address that it may not. */
  async authenticate(token: string, address: string | null): Promise<Actor | null> {
    if (!looksLikeApiToken(token)) {
      return null;
    }
    const row = await this.#find(token);
    if (row === undefined || !isAllowedAddress(address, row.addresses)) {
      return null;
    }
    return {
      tenantId: toId(row.tenant_id),
      tokenId: toId(row.token_id),
      through: row.through.map((id) => toId<TokenId>(id)),
      name: `token:${row.token_id}`,
      permissions: expandScopes(row.scopes),
      reach: row.reach,
      address,
    };
  }

  async #find(token: string): Promise<TokenRow | undefined> {
    try {
      const rows: TokenRow[] = await this.dataSource.query(
        `select tenant_id, token_id, scopes, reach, allowed_addresses::text[] as addresses, through
           from app.find_token($1)`,
        [hashApiToken(token)],
      );
      return rows[0];
    } catch (error) {
      throw toDatabaseError(error);
    }
  }
}
