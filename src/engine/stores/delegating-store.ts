import type { GetOptions, PutOptions, Retention, Store, StoredObject } from '../ports/store.ts';

/**
 * A store that does everything as another does it: what a kind of its own does otherwise is all that it has to say. What
 * the other can't do this one can't either.
 */
export abstract class DelegatingStore implements Store {
  readonly description: string;
  readonly retention?: Retention;
  readonly removeLeftovers?: NonNullable<Store['removeLeftovers']>;
  readonly #inner: Store;

  constructor(inner: Store) {
    this.#inner = inner;
    this.description = inner.description;
    if (inner.retention !== undefined) {
      this.retention = inner.retention;
    }
    if (inner.removeLeftovers !== undefined) {
      this.removeLeftovers = inner.removeLeftovers.bind(inner);
    }
  }

  putIfAbsent(name: string, parts: readonly Uint8Array[], options?: PutOptions): Promise<'created' | 'exists'> {
    return this.#inner.putIfAbsent(name, parts, options);
  }

  get(name: string, options?: GetOptions): Promise<Uint8Array> {
    return this.#inner.get(name, options);
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
