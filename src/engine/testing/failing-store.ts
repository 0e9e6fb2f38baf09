import { AppError } from '../../kernel/errors.ts';
import type { Store, StoredObject } from '../ports/store.ts';

/** What happens to the change at which the power goes: nothing of it, or all of it but the answer. */
export type Failure = 'before' | 'after';

/** A store that is gone from its n-th change on, counted from 1: as its writer sees it, everything fails then. */
export class FailingStore implements Store {
  readonly description = 'failing';
  readonly #inner: Store;
  readonly #failAt: number;
  readonly #failure: Failure;
  #changes = 0;

  constructor(inner: Store, failAt: number, failure: Failure) {
    this.#inner = inner;
    this.#failAt = failAt;
    this.#failure = failure;
  }

  get changes(): number {
    return this.#changes;
  }

  putIfAbsent(name: string, parts: readonly Uint8Array[]): Promise<'created' | 'exists'> {
    return this.#change(() => this.#inner.putIfAbsent(name, parts));
  }

  delete(name: string): Promise<void> {
    return this.#change(() => this.#inner.delete(name));
  }

  async get(name: string): Promise<Uint8Array> {
    this.#requireAlive();
    return this.#inner.get(name);
  }

  async getRange(name: string, offset: number, into: Uint8Array): Promise<void> {
    this.#requireAlive();
    await this.#inner.getRange(name, offset, into);
  }

  async head(name: string): Promise<StoredObject | null> {
    this.#requireAlive();
    return this.#inner.head(name);
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    this.#requireAlive();
    yield* this.#inner.list(prefix);
  }

  async flush(): Promise<void> {
    this.#requireAlive();
    await this.#inner.flush();
  }

  async #change<T>(change: () => Promise<T>): Promise<T> {
    this.#changes += 1;
    const isNow = this.#changes === this.#failAt;
    if (this.#changes > this.#failAt || (isNow && this.#failure === 'before')) {
      throw gone();
    }
    const outcome = await change();
    if (isNow) {
      throw gone();
    }
    return outcome;
  }

  #requireAlive(): void {
    if (this.#changes >= this.#failAt) {
      throw gone();
    }
  }
}

function gone(): AppError {
  return new AppError('VAULT_UNREACHABLE', 'The store is gone.');
}
