import { isAppError } from '../../kernel/errors.ts';
import type { KeyRing, RepositoryKeyId } from '../ports/key-ring.ts';
import { deriveObjectRoot, type RepositorySecrets } from './key-schedule.ts';

export const FIRST_GENERATION = 0;

/** The only one who changes an open repository's secrets. */
interface KeptSecrets extends RepositorySecrets {
  generation: number;
  objectRoot: Uint8Array;
  readonly objectRoots: Map<number, Uint8Array>;
}

/**
 * The generations of an open repository's key. The key ring is the truth about them: a store that hides or forges
 * `repo.<g>` neither brings an old key back into use nor a new one out of it.
 */
export class KeyGenerations {
  readonly #keyRing: KeyRing;
  readonly #id: Omit<RepositoryKeyId, 'generation'>;
  readonly #secrets: KeptSecrets;

  /** `secrets` know their first generation; from now on they are kept here. */
  constructor(keyRing: KeyRing, id: Omit<RepositoryKeyId, 'generation'>, secrets: RepositorySecrets) {
    this.#keyRing = keyRing;
    this.#id = id;
    this.#secrets = secrets as KeptSecrets;
  }

  get secrets(): RepositorySecrets {
    return this.#secrets;
  }

  /** Finds generations that were begun meanwhile; what is written from now on is sealed with the newest. */
  async refresh(): Promise<void> {
    while (await this.learn(this.#secrets.generation + 1)) {
      // Generations follow each other without a gap.
    }
  }

  /** Whether the ring has a key of that generation; then what it sealed can be opened. */
  async learn(generation: number): Promise<boolean> {
    if (this.#secrets.objectRoots.has(generation)) {
      return true;
    }
    const root = await this.#find(generation);
    if (root === null) {
      return false;
    }
    this.#secrets.objectRoots.set(generation, root);
    if (generation > this.#secrets.generation) {
      this.#secrets.generation = generation;
      this.#secrets.objectRoot = root;
    }
    return true;
  }

  async #find(generation: number): Promise<Uint8Array | null> {
    try {
      const keys = await this.#keyRing.getRepositoryKeys({ ...this.#id, generation });
      return deriveObjectRoot(keys, this.#secrets.repositoryId);
    } catch (error) {
      if (isAppError(error, 'KEY_MISSING')) {
        return null;
      }
      throw error;
    }
  }
}
