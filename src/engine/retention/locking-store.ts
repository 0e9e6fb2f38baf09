import { DATA_PREFIX, META_PREFIX } from '../format/names.ts';
import type { PutOptions, Retention, Store, StoredObject } from '../ports/store.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { endOfWindow } from './retention-window.ts';

/**
 * For whoever stores packs that are to be kept until a date: each is locked from the moment that it is there, and its
 * restore point has nothing left to lock of it. The same context where there is no date, or the store can't lock.
 */
export function lockPacksUntil(context: RepositoryContext, retainUntil: number | undefined): RepositoryContext {
  const { store } = context;
  return retainUntil === undefined || store.retention === undefined
    ? context
    : { ...context, store: new LockingStore(store, endOfWindow(retainUntil)) };
}

/** Packs, and nothing else that is put, are locked until a date. */
class LockingStore implements Store {
  readonly description: string;
  readonly retention: Retention | undefined;
  readonly #inner: Store;
  readonly #until: number;

  constructor(inner: Store, until: number) {
    this.description = inner.description;
    this.retention = inner.retention;
    this.#inner = inner;
    this.#until = until;
  }

  putIfAbsent(name: string, parts: readonly Uint8Array[], options: PutOptions = {}): Promise<'created' | 'exists'> {
    const isPack = name.startsWith(DATA_PREFIX) || name.startsWith(META_PREFIX);
    return this.#inner.putIfAbsent(name, parts, isPack ? { ...options, retainUntil: this.#until } : options);
  }

  get(name: string, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#inner.get(name, signal);
  }

  getRange(name: string, offset: number, into: Uint8Array, signal?: AbortSignal): Promise<void> {
    return this.#inner.getRange(name, offset, into, signal);
  }

  head(name: string): Promise<StoredObject | null> {
    return this.#inner.head(name);
  }

  list(prefix: string): AsyncIterable<StoredObject> {
    return this.#inner.list(prefix);
  }

  delete(name: string): Promise<void> {
    return this.#inner.delete(name);
  }

  flush(): Promise<void> {
    return this.#inner.flush();
  }
}
