export interface StoredObject {
  /** The whole name below the store's prefix, with `/` between its parts. */
  readonly name: string;
  readonly sizeBytes: number;
}

export interface PutOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds since 1970: nobody can delete the object before then. VAULT_NOT_IMMUTABLE of a store without
   * `retention`. Where the object exists already, its date stays as it is.
   */
  readonly retainUntil?: number | undefined;
  /** The object is put so that others can be deleted: it may take what a store keeps free for that. */
  readonly givesSpaceBack?: boolean | undefined;
}

export interface GetOptions {
  readonly signal?: AbortSignal | undefined;
  /** What is larger than any object of its kind was put there by somebody else, who must not fill the reader's memory. */
  readonly maxBytes?: number | undefined;
}

/** Who may shorten a date: in governance mode whom the store's owner lets, in compliance mode nobody. */
export type RetentionMode = 'governance' | 'compliance';

export interface MeddledObject {
  readonly name: string;
  readonly kind: 'hidden' | 'overwritten';
  /** When, in milliseconds since 1970, as the server says. */
  readonly at: number;
}

/** What a store has that can keep objects from being deleted, by whomever. Dates in milliseconds since 1970. */
export interface Retention {
  readonly mode: RetentionMode;
  /** Until that date or a later one; never shortens. VAULT_OBJECT_MISSING if there is none. */
  lockUntil(name: string, until: number, signal?: AbortSignal): Promise<void>;
  /** Null if the object isn't locked; a date in the past says that it was. VAULT_OBJECT_MISSING if there is none. */
  lockedUntil(name: string): Promise<number | null>;
  /** What somebody hid by a marker or put another version over; reads give the object itself all the same. */
  meddled(prefix: string): AsyncIterable<MeddledObject>;
  /**
   * Puts an object that is locked for a short time, and tries to delete it and to shorten its date. VAULT_NOT_IMMUTABLE
   * says what the target let happen.
   */
  probe(): Promise<void>;
}

/**
 * Where a repository's objects lie: small, and the same for a directory and an object store.
 * Objects are immutable. Every method may throw VAULT_UNREACHABLE, VAULT_ACCESS_DENIED, VAULT_READ_ONLY or VAULT_FULL;
 * those that take a signal also CANCELLED, or the signal's own reason where that is an AppError.
 */
export interface Store {
  /** For messages: what a person would call this place. Never a credential. */
  readonly description: string;
  /** Absent where whoever has the store's credentials can delete everything: an ordinary directory, an ordinary bucket. */
  readonly retention?: Retention | undefined;
  /**
   * Creates the object with these bytes, whole or not at all; never replaces one. Who is first at a name wins.
   * The bytes are durable when this returns; the name is only after the next `flush`. Whoever gave the bytes may write to
   * their memory again once this has returned; after an error, never.
   */
  putIfAbsent(name: string, parts: readonly Uint8Array[], options?: PutOptions): Promise<'created' | 'exists'>;
  /** The whole object; VAULT_OBJECT_MISSING if there is none, VAULT_CORRUPT, unread, if it has more than `maxBytes`. */
  get(name: string, options?: GetOptions): Promise<Uint8Array>;
  /** Fills `into` from `offset` on; VAULT_CORRUPT if the object ends before that, VAULT_OBJECT_MISSING if there is none. */
  getRange(name: string, offset: number, into: Uint8Array, signal?: AbortSignal): Promise<void>;
  head(name: string): Promise<StoredObject | null>;
  /**
   * Names that begin with `prefix`, which ends at a `/` or within the last part of a name; in no promised order. What
   * others left there under a name that no object can have is not listed.
   */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** A name that isn't there is fine. VAULT_RETAINED if the store keeps the object until a date. */
  delete(name: string): Promise<void>;
  /**
   * Durability barrier: every name that was put before (also by 'exists') or found by `head` or `list`, whoever put
   * it, survives a power cut once this returns.
   */
  flush(): Promise<void>;
  /**
   * Removes what writers left aside that died before it had a name, if it is older than `ageMs` at `now` (milliseconds
   * since the epoch); returns how many. Absent where nothing is left.
   */
  removeLeftovers?(now: number, ageMs: number): Promise<number>;
}
