/** What a credential may do. A resolver or controller method names exactly one of these, or `ANY_CREDENTIAL`. */
export const PERMISSIONS = [
  'tenants:read',
  'tenants:write',
  'tokens:read',
  'tokens:write',
  'sites:read',
  'sites:write',
  'pools:read',
  'pools:write',
  'vms:read',
  'vms:write',
  'grants:read',
  'grants:write',
  'vaults:read',
  'vaults:write',
  'jobs:read',
  'jobs:write',
  'backups:write',
  'restores:write',
  'restore-points:read',
  'restore-points:write',
  'replication:read',
  'replication:write',
  'usage:read',
  'events:read',
  'webhooks:read',
  'webhooks:write',
  'audit:read',
] as const;

export type Permission = (typeof PERMISSIONS)[number];

/** For what every valid credential may ask, whatever its scopes: who am I, and objects by id whose type decides. */
export const ANY_CREDENTIAL = 'any-credential';

const READS = PERMISSIONS.filter((permission) => permission.endsWith(':read'));
const INVENTORY: Permission[] = ['tenants:read', 'sites:read', 'pools:read', 'vms:read', 'grants:read', 'vaults:read'];
const PROTECTION: Permission[] = [...INVENTORY, 'jobs:read', 'restore-points:read', 'replication:read', 'events:read'];
const GOVERNING: ReadonlySet<Permission> = new Set(['tenants:write', 'tokens:write', 'grants:write']);

/** Bundles that stand for their permissions wherever a scope may stand. */
export const ROLES = {
  OWNER: [...PERMISSIONS],
  ADMIN: PERMISSIONS.filter((permission) => permission !== 'tenants:write'),
  OPERATOR: PERMISSIONS.filter((permission) => !GOVERNING.has(permission)),
  RESTORER: [...PROTECTION, 'restores:write', 'jobs:write'],
  BILLING: ['tenants:read', 'usage:read', 'events:read', 'webhooks:read', 'webhooks:write'],
  AUDITOR: [...PROTECTION, 'audit:read', 'usage:read'],
  READER: READS.filter((permission) => permission !== 'audit:read' && permission !== 'tokens:read'),
} as const satisfies Record<string, readonly Permission[]>;

export type RoleName = keyof typeof ROLES;
export type Scope = Permission | RoleName;

export function isScope(text: string): text is Scope {
  return Object.hasOwn(ROLES, text) || (PERMISSIONS as readonly string[]).includes(text);
}

/** The permissions that scopes stand for. A scope this version doesn't know gives nothing. */
export function expandScopes(scopes: readonly string[]): ReadonlySet<Permission> {
  const permissions = new Set<Permission>();
  for (const scope of scopes) {
    if (isScope(scope)) {
      const bundle: readonly Permission[] = Object.hasOwn(ROLES, scope)
        ? ROLES[scope as RoleName]
        : [scope as Permission];
      bundle.forEach((permission) => permissions.add(permission));
    }
  }
  return permissions;
}
