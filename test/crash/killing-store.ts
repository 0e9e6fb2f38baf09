import type { Store, StoredObject } from '../../src/engine/index.ts';
import { endNow, type KillAt } from './killing-files.ts';

/** A store at one change of which the process is killed: before it is made, or before its answer is heard. */
export class KillingStore implements Store {
  readonly description: string;
  readonly #inner: Store;
  #changes = 0;
  #killAt: KillAt | null = null;

  constructor(inner: Store) {
    this.#inner = inner;
    this.description = inner.description;
  }

  get changes(): number {
    return this.#changes;
  }

  arm(killAt: KillAt | null): void {
    this.#changes = 0;
    this.#killAt = killAt;
  }

  putIfAbsent(...args: Parameters<Store['putIfAbsent']>): Promise<'created' | 'exists'> {
    return this.#change(() => this.#inner.putIfAbsent(...args));
  }

  delete(name: string): Promise<void> {
    return this.#change(() => this.#inner.delete(name));
  }

  flush(): Promise<void> {
    return this.#change(() => this.#inner.flush());
  }

  get(...args: Parameters<Store['get']>): Promise<Uint8Array> {
    return this.#inner.get(...args);
  }

  getRange(...args: Parameters<Store['getRange']>): Promise<void> {
    return this.#inner.getRange(...args);
  }

  head(name: string): Promise<StoredObject | null> {
    return this.#inner.head(name);
  }

  list(prefix: string): AsyncIterable<StoredObject> {
    return this.#inner.list(prefix);
  }

  async #change<T>(change: () => Promise<T>): Promise<T> {
    this.#changes += 1;
    const isNow = this.#killAt?.change === this.#changes;
    if (isNow && this.#killAt?.when === 'before') {
      endNow();
    }
    const outcome = await change();
    if (isNow) {
      endNow();
    }
    return outcome;
  }
}
