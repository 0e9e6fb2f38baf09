import { AppError } from '../../kernel/errors.ts';
import type { Store, StoredObject } from '../ports/store.ts';
import { DelegatingStore } from '../stores/delegating-store.ts';

/** What happens to the change at which the power goes: nothing of it, or all of it but the answer. */
export type Failure = 'before' | 'after';

/** A store that is gone from its n-th change on, counted from 1: as its writer sees it, everything fails then. */
export class FailingStore extends DelegatingStore {
  override readonly description = 'failing';
  readonly #failAt: number;
  readonly #failure: Failure;
  #changes = 0;

  constructor(inner: Store, failAt: number, failure: Failure) {
    super(inner);
    this.#failAt = failAt;
    this.#failure = failure;
  }

  get changes(): number {
    return this.#changes;
  }

  override putIfAbsent(...put: Parameters<Store['putIfAbsent']>): Promise<'created' | 'exists'> {
    return this.#change(() => super.putIfAbsent(...put));
  }

  override delete(name: string): Promise<void> {
    return this.#change(() => super.delete(name));
  }

  override async get(...args: Parameters<Store['get']>): Promise<Uint8Array> {
    this.#requireAlive();
    return super.get(...args);
  }

  override async getRange(...args: Parameters<Store['getRange']>): Promise<void> {
    this.#requireAlive();
    await super.getRange(...args);
  }

  override async head(name: string): Promise<StoredObject | null> {
    this.#requireAlive();
    return super.head(name);
  }

  override async *list(prefix: string): AsyncIterable<StoredObject> {
    this.#requireAlive();
    yield* super.list(prefix);
  }

  override async flush(): Promise<void> {
    this.#requireAlive();
    await super.flush();
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
