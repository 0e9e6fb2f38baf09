export interface RepositoryKeyId {
  readonly tenantId: string;
  readonly repositoryId: string;
  /** Counts from 0; rotation begins a new one, older ones stay readable. */
  readonly generation: number;
}

/** What a repository of one generation is opened with. Secrets: never logged, never stored outside a KeyRing. */
export interface RepositoryKeys {
  /** Names the key in `repo.<n>`; says nothing about it. */
  readonly keyId: string;
  /** 32 bytes: root of every object's own key. */
  readonly repositoryKey: Uint8Array;
  /** 32 bytes, one per tenant, the same through every rotation: root of digest key and chunk seed. */
  readonly dedupSecret: Uint8Array;
}

/** Key-encryption key per tenant → tenant master key → repository key. Only the last link leaves the ring. */
export interface KeyRing {
  /** Makes the keys, or finds them if they were made before. Their wrapped form is durable when this returns. */
  createRepositoryKeys(id: RepositoryKeyId): Promise<RepositoryKeys>;
  /** KEY_MISSING if they were never made or can't be unwrapped, KEY_DESTROYED if the tenant was shredded. */
  getRepositoryKeys(id: RepositoryKeyId): Promise<RepositoryKeys>;
}
