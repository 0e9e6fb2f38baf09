import { DATA_PREFIX, META_PREFIX } from '../format/names.ts';
import type { PutOptions, Store } from '../ports/store.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { DelegatingStore } from '../stores/delegating-store.ts';
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
class LockingStore extends DelegatingStore {
  readonly #until: number;

  constructor(inner: Store, until: number) {
    super(inner);
    this.#until = until;
  }

  override putIfAbsent(
    name: string,
    parts: readonly Uint8Array[],
    options: PutOptions = {},
  ): Promise<'created' | 'exists'> {
    const isPack = name.startsWith(DATA_PREFIX) || name.startsWith(META_PREFIX);
    return super.putIfAbsent(name, parts, isPack ? { ...options, retainUntil: this.#until } : options);
  }
}
