import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { notFound, type NodeKey } from '../../kernel/global-id.ts';
import type { TenantId, TokenId } from '../../kernel/ids.ts';
import { hashApiToken, newApiToken } from '../../platform/auth/api-token.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import { checkVersion, updateVersioned } from '../../platform/database/versioned-update.ts';
import { Mutations } from '../../platform/mutations/mutations.ts';
import { newId } from '../../platform/new-id.ts';
import type { Connection } from '../../platform/paging/connection.ts';
import { Pager } from '../../platform/paging/pager.ts';
import { expiryOf, requireOwnNetworks, requireOwnRights } from './token-rights.ts';
import { ApiTokenRow } from './token.entity.ts';
import { tokenRevoked } from './token.errors.ts';
import type { CreateTokenInput, ListTokensArgs, RevokeTokenInput, RotateTokenInput } from './token.input.ts';
import type { TokenWithSecret } from './token.view.ts';

const DEFAULT_OVERLAP_S = 86_400;

@Injectable()
export class TokenService {
  constructor(
    private readonly scope: TenantScope,
    private readonly db: TenantDb,
    private readonly mutations: Mutations,
    private readonly pager: Pager,
  ) {}

  async getToken(key: NodeKey): Promise<ApiTokenRow> {
    return await this.db.run(async (em) => await getToken(em, key));
  }

  /** The tokens of one tenant, newest first, revoked and expired ones too. */
  async listTokens({ tenantId, ...page }: ListTokensArgs): Promise<Connection<ApiTokenRow>> {
    const tenant = this.scope.tenantOr(tenantId);
    return await this.db.within(tenant, async (em) => {
      const query = em.createQueryBuilder(ApiTokenRow, 'token').where('token.tenant_id = :tenantId', tenant);
      const sort = [
        { column: 'token.created_at', type: 'timestamptz' },
        { column: 'token.id', type: 'uuid' },
      ] as const;
      return await this.pager.page(query, { list: `tokens|${tenant.tenantId}|newest`, sort, direction: 'DESC' }, page);
    });
  }

  async createToken(input: CreateTokenInput): Promise<TokenWithSecret> {
    const tenant = this.scope.tenantOr(input.tenantId);
    const { name, scopes, reach = 'SELF', allowedAddresses = [] } = input;
    return await this.mutations.run<TokenWithSecret>({
      name: 'createToken',
      target: tenant,
      input,
      work: async (em) => {
        const actor = this.scope.current();
        requireOwnRights(actor, scopes, reach);
        await requireOwnNetworks(em, actor, allowedAddresses);
        const subject: NodeKey = { type: 'ApiToken', tenantId: tenant.tenantId, id: newId<TokenId>() };
        const secret = newApiToken();
        const expiresAt = expiryOf(input.expiresAt, Date.now());
        const secretHash = hashApiToken(secret);
        const made = { createdBy: actor.tokenId, madeThrough: [...actor.through] };
        const rights = { scopes: [...scopes], reach, allowedAddresses };
        await em.insert(ApiTokenRow, { ...toIds(subject), name, ...rights, secretHash, expiresAt, ...made });
        const row = await getToken(em, subject);
        return { value: { row, secret }, subject, event: 'token.created', data: { name }, detail: rights };
      },
      replay: async (em, id) => ({ row: await getToken(em, { ...tenant, id }), secret: null }),
    });
  }

  /** A new secret; the one before stays good for the overlap, so that nobody has to be in two places at once. */
  async rotateToken(input: RotateTokenInput): Promise<TokenWithSecret> {
    const { tokenId, expectedVersion, overlapSeconds = DEFAULT_OVERLAP_S } = input;
    return await this.mutations.run<TokenWithSecret>({
      name: 'rotateToken',
      target: tokenId,
      input,
      work: async (em) => {
        const row = await getToken(em, tokenId);
        requireLive(row);
        const actor = this.scope.current();
        requireOwnRights(actor, row.scopes, row.reach);
        await requireOwnNetworks(em, actor, row.allowedAddresses);
        checkVersion(row, expectedVersion);
        const secret = newApiToken();
        const changed = await updateVersioned(em, ApiTokenRow, row, {
          previousSecretHash: row.secretHash,
          previousSecretExpiresAt: new Date(Date.now() + overlapSeconds * 1000),
          secretHash: hashApiToken(secret),
          previousSecretThrough: row.secretThrough,
          secretThrough: [...actor.through],
        });
        const value = { row: changed, secret };
        return {
          value,
          subject: tokenId,
          event: 'token.rotated',
          data: { name: row.name },
          detail: { overlapSeconds },
        };
      },
      replay: async (em, id) => ({ row: await getToken(em, { ...tokenId, id }), secret: null }),
    });
  }

  /**
   * At once and for good; open streams end. The tokens that it made are revoked too, and the webhook endpoints that it
   * made are disabled; secrets that it had other tokens rotated to are good no longer.
   */
  async revokeToken(input: RevokeTokenInput): Promise<ApiTokenRow> {
    const { tokenId, expectedVersion } = input;
    return await this.mutations.run({
      name: 'revokeToken',
      target: tokenId,
      input,
      work: async (em) => {
        const row = await getToken(em, tokenId);
        requireLive(row);
        checkVersion(row, expectedVersion);
        const value = await updateVersioned(em, ApiTokenRow, row, { revokedAt: new Date() });
        const detail = await endWhatItMade(em, row);
        return { value, subject: tokenId, event: 'token.revoked', data: { name: row.name }, detail };
      },
      replay: async (em, id) => await getToken(em, { ...tokenId, id }),
    });
  }
}

async function getToken(em: EntityManager, key: Pick<NodeKey, 'tenantId' | 'id'>): Promise<ApiTokenRow> {
  const row = await em.findOneBy(ApiTokenRow, toIds(key));
  if (row === null) {
    throw notFound('ApiToken');
  }
  return row;
}

async function endWhatItMade(
  em: EntityManager,
  { tenantId, id }: ApiTokenRow,
): Promise<{ readonly revokedTokens: string; readonly disabledEndpoints: string }> {
  const rows: { tokens: string; endpoints: string }[] = await em.query(
    'select tokens, endpoints from app.end_what_token_made($1, $2)',
    [tenantId, id],
  );
  return { revokedTokens: rows[0]?.tokens ?? '0', disabledEndpoints: rows[0]?.endpoints ?? '0' };
}

function requireLive(row: ApiTokenRow): void {
  if (row.revokedAt !== null) {
    throw tokenRevoked();
  }
}

function toIds({ tenantId, id }: Pick<NodeKey, 'tenantId' | 'id'>): Pick<ApiTokenRow, 'tenantId' | 'id'> {
  return { tenantId: tenantId as TenantId, id: id as TokenId };
}
