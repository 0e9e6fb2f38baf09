import { generationOf } from '../format/header.ts';
import type { Retention, Store, StoredObject } from '../ports/store.ts';
import type { KeyGenerations } from './key-generations.ts';

/**
 * A repository's store, seen by those who open what they read: when the header of an object says a generation of the
 * key that isn't known yet, that is learned before the bytes are handed on. So nobody who reads can forget it.
 */
export class GenerationLearningStore implements Store {
  readonly description: string;
  readonly retention: Retention | undefined;
  readonly #inner: Store;
  readonly #generations: KeyGenerations;

  constructor(inner: Store, generations: KeyGenerations) {
    this.description = inner.description;
    this.retention = inner.retention;
    this.#inner = inner;
    this.#generations = generations;
  }

  putIfAbsent(...put: Parameters<Store['putIfAbsent']>): Promise<'created' | 'exists'> {
    return this.#inner.putIfAbsent(...put);
  }

  async get(name: string, signal?: AbortSignal): Promise<Uint8Array> {
    const data = await this.#inner.get(name, signal);
    await this.#learnFrom(data);
    return data;
  }

  async getRange(name: string, offset: number, into: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#inner.getRange(name, offset, into, signal);
    if (offset === 0) {
      await this.#learnFrom(into);
    }
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

  async removeLeftovers(now: number, ageMs: number): Promise<number> {
    return (await this.#inner.removeLeftovers?.(now, ageMs)) ?? 0;
  }

  /** Of a generation that the ring has no key of nothing is learned; who opens the object says so. */
  async #learnFrom(data: Uint8Array): Promise<void> {
    const generation = generationOf(data);
    if (generation !== null) {
      await this.#generations.learn(generation);
    }
  }
}
