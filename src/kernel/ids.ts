import type { Brand } from './brand.ts';

/** Ids are lower-case UUID strings inside; `global-id.ts` turns them into what clients see. */
export type TenantId = Brand<string, 'TenantId'>;
export type TokenId = Brand<string, 'TokenId'>;
export type SiteId = Brand<string, 'SiteId'>;
export type PoolId = Brand<string, 'PoolId'>;
export type PoolVmId = Brand<string, 'PoolVmId'>;
export type VmId = Brand<string, 'VmId'>;
export type PoolGrantId = Brand<string, 'PoolGrantId'>;
export type StorageTargetId = Brand<string, 'StorageTargetId'>;
export type StorageGrantId = Brand<string, 'StorageGrantId'>;
export type VaultId = Brand<string, 'VaultId'>;
export type JobId = Brand<string, 'JobId'>;
export type RestorePointId = Brand<string, 'RestorePointId'>;
export type ReplicationPlanId = Brand<string, 'ReplicationPlanId'>;
export type WebhookEndpointId = Brand<string, 'WebhookEndpointId'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Takes a UUID from a trusted source (a row, a workflow input) as the named kind of id; throws a TypeError otherwise. */
export function toId<T extends Brand<string, string>>(uuid: string): T {
  if (!isUuid(uuid)) {
    throw new TypeError(`not a UUID: ${uuid}`);
  }
  return uuid as T;
}
