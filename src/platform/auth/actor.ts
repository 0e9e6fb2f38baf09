import type { TenantId, TokenId } from '../../kernel/ids.ts';
import type { Permission } from './permissions.ts';

export type Reach = 'SELF' | 'SUBTREE';

/** Who acts: a credential that was checked, or a part of Holdfast acting for one tenant. */
export interface Actor {
  readonly tenantId: TenantId;
  /** `token:<uuid>` or `system:<part>`; what audit entries name. */
  readonly name: string;
  /** Null where Holdfast itself acts. */
  readonly tokenId: TokenId | null;
  /** The tokens that the credential goes back to, itself included: what it makes dies with any of them. */
  readonly through: readonly TokenId[];
  readonly permissions: ReadonlySet<Permission>;
  readonly reach: Reach;
  readonly address: string | null;
}

/** A part of Holdfast that acts for exactly one tenant: a worker's activity, a background task. */
export function systemActor(part: string, tenantId: TenantId): Actor {
  return {
    tenantId,
    name: `system:${part}`,
    tokenId: null,
    through: [],
    permissions: new Set(),
    reach: 'SELF',
    address: null,
  };
}
