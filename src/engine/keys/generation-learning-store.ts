import { corrupt, generationOf, isOfOtherFormat } from '../format/header.ts';
import type { GetOptions, Store } from '../ports/store.ts';
import { DelegatingStore } from '../stores/delegating-store.ts';
import type { KeyGenerations } from './key-generations.ts';

/**
 * A repository's store, seen by those who open what they read: when the header of an object says a generation of the
 * key that isn't known yet, that is learned before the bytes are handed on. So nobody who reads can forget it.
 *
 * Headers are clear: anybody can make one that says a later format, which would stop whoever takes it for what a later
 * program wrote. Where nobody writes another format, it is damage.
 */
export class GenerationLearningStore extends DelegatingStore {
  readonly #generations: KeyGenerations;
  readonly #hasKnownFormatsOnly: () => Promise<boolean>;

  constructor(inner: Store, generations: KeyGenerations, hasKnownFormatsOnly: () => Promise<boolean>) {
    super(inner);
    this.#generations = generations;
    this.#hasKnownFormatsOnly = hasKnownFormatsOnly;
  }

  override async get(name: string, options?: GetOptions): Promise<Uint8Array> {
    const data = await super.get(name, options);
    await this.#takeHeader(name, data);
    return data;
  }

  override async getRange(name: string, offset: number, into: Uint8Array, signal?: AbortSignal): Promise<void> {
    await super.getRange(name, offset, into, signal);
    if (offset === 0) {
      await this.#takeHeader(name, into);
    }
  }

  /** Of a generation that the ring has no key of nothing is learned; who opens the object says so. */
  async #takeHeader(name: string, data: Uint8Array): Promise<void> {
    const generation = generationOf(data);
    if (generation !== null) {
      await this.#generations.learn(generation);
    }
    // Asked after it was read: who writes another format has said so before.
    if (isOfOtherFormat(data) && (await this.#hasKnownFormatsOnly())) {
      throw corrupt(name, 'says that it is of a format that nobody writes in this vault');
    }
  }
}
