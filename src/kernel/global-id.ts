import { AppError } from './errors.ts';

/** The readable prefix of each kind of global id. */
export const GLOBAL_ID_PREFIX = {
  Tenant: 'ten',
  User: 'usr',
  ApiToken: 'tok',
  Site: 'site',
  Pool: 'pool',
  PoolVm: 'pvm',
  Host: 'host',
  StorageRepository: 'sr',
  Network: 'net',
  Vm: 'vm',
  Disk: 'disk',
  PoolGrant: 'pgr',
  StorageTarget: 'stg',
  StorageGrant: 'sgr',
  Vault: 'vlt',
  Job: 'job',
  RestorePoint: 'rp',
  ReplicationPlan: 'plan',
  WebhookEndpoint: 'whe',
  WebhookDelivery: 'whd',
  UsageRecord: 'usg',
  UsagePeriod: 'usp',
  AuditEntry: 'aud',
  Event: 'evt',
} as const;

export type NodeType = keyof typeof GLOBAL_ID_PREFIX;

/** What a global id says: a hint for the query plan, never an authority. */
export interface NodeKey {
  readonly type: NodeType;
  readonly tenantId: string;
  readonly id: string;
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const PAYLOAD_CHARS = 52;
const PAYLOAD = new RegExp(`^[${ALPHABET}]{${PAYLOAD_CHARS}}$`);
const TYPE_OF_PREFIX = new Map<string, NodeType>(
  Object.entries(GLOBAL_ID_PREFIX).map(([type, prefix]) => [prefix, type as NodeType]),
);

/** `<prefix>_<52 characters>`: 16 bytes of id, then 16 bytes of tenant, in Crockford's base 32. */
export function toGlobalId(type: NodeType, tenantId: string, id: string): string {
  const hex = id.replaceAll('-', '') + tenantId.replaceAll('-', '');
  let value = BigInt(`0x${hex}`);
  let text = '';
  for (let i = 0; i < PAYLOAD_CHARS; i += 1) {
    text = (ALPHABET[Number(value & 31n)] ?? '') + text;
    value >>= 5n;
  }
  return `${GLOBAL_ID_PREFIX[type]}_${text}`;
}

/** Reads a global id, or returns null where the text is none: callers answer exactly as they do for an unknown id. */
export function parseGlobalId(text: string): NodeKey | null {
  const cut = text.indexOf('_');
  const type = cut < 0 ? undefined : TYPE_OF_PREFIX.get(text.slice(0, cut));
  const payload = text.slice(cut + 1);
  if (type === undefined || !PAYLOAD.test(payload)) {
    return null;
  }
  let value = 0n;
  for (const char of payload) {
    value = (value << 5n) | BigInt(ALPHABET.indexOf(char));
  }
  if (value >= 1n << 256n) {
    return null;
  }
  const hex = value.toString(16).padStart(64, '0');
  const [id, tenantId] = [toUuid(hex.slice(0, 32)), toUuid(hex.slice(32))];
  // A tenant is its own tenant, and has one id.
  return type === 'Tenant' && id !== tenantId ? null : { type, id, tenantId };
}

/** Reads a global id of the named type; anything else answers NOT_FOUND, as an unknown id does. */
export function fromGlobalId(type: NodeType, text: string): NodeKey {
  const key = parseGlobalId(text);
  if (key?.type !== type) {
    throw notFound(type);
  }
  return key;
}

/** The one answer for an id that is unknown, malformed, of another type or of another tenant. */
export function notFound(type: NodeType): AppError {
  return new AppError('NOT_FOUND', `${type} not found.`);
}

function toUuid(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
