import type { Store } from '../../src/engine/index.ts';
import { DelegatingStore } from '../../src/engine/stores/delegating-store.ts';
import { endNow, type KillAt } from './killing-files.ts';

/** A store at one change of which the process is killed: before it is made, or before its answer is heard. */
export class KillingStore extends DelegatingStore {
  #changes = 0;
  #killAt: KillAt | null = null;

  get changes(): number {
    return this.#changes;
  }

  arm(killAt: KillAt | null): void {
    this.#changes = 0;
    this.#killAt = killAt;
  }

  override putIfAbsent(...args: Parameters<Store['putIfAbsent']>): Promise<'created' | 'exists'> {
    return this.#change(() => super.putIfAbsent(...args));
  }

  override delete(name: string): Promise<void> {
    return this.#change(() => super.delete(name));
  }

  override flush(): Promise<void> {
    return this.#change(() => super.flush());
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
