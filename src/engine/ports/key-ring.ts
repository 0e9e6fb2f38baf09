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

/** That a tenant's keys were destroyed; the statement that a ring signs for whoever asked for it. */
export interface DestructionStatement {
  readonly tenantId: string;
  /** When it was decided, in milliseconds since 1970; from then on the ring gave out no key. */
  readonly destroyedAt: number;
  readonly repositories: readonly string[];
  /** Every key that the ring had of the tenant, with the SHA-256 of its file, in hexadecimal digits. */
  readonly keys: readonly { readonly name: string; readonly sha256: string }[];
  /** The ring's Ed25519 key: SPKI, DER, base 64. */
  readonly publicKey: string;
  /** Of the JSON of all of the above in this order, base 64. */
  readonly signature: string;
}

/** What an operator does to keys. None of it touches a vault: keys are wrapped anew, data is not. */
export interface KeyCustody {
  /** Gives the tenant another key-encryption key. Interrupted, it is finished when it is called again. */
  rotateKeyEncryptionKey(tenantId: string): Promise<void>;
  /** Gives the tenant another master key. Interrupted, it is finished when it is called again. */
  rotateMasterKey(tenantId: string): Promise<void>;
  /**
   * Makes all of a tenant's vaults unreadable, wherever copies of them are, and keeps a statement of that. Again: the
   * same statement. KEY_MISSING if the ring never had keys of the tenant.
   */
  destroyTenantKeys(tenantId: string): Promise<DestructionStatement>;
}

/** Key-encryption key per tenant → tenant master key → repository key. Only the last link leaves the ring. */
export interface KeyRing {
  /** Makes the keys, or finds them if they were made before. Their wrapped form is durable when this returns. */
  createRepositoryKeys(id: RepositoryKeyId): Promise<RepositoryKeys>;
  /** KEY_MISSING if they were never made or can't be unwrapped, KEY_DESTROYED if the tenant was shredded. */
  getRepositoryKeys(id: RepositoryKeyId): Promise<RepositoryKeys>;
}
