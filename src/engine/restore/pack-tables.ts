import type { ObjectId } from '../format/ids.ts';
import { readPackTable, type PackTable } from '../format/pack-reader.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store } from '../ports/store.ts';

const CACHED_TABLES = 128;

/** What is known of packs that nothing new may refer to. */
export interface CondemnedPacks {
  has(pack: ObjectId): boolean;
  packs(): ReadonlySet<ObjectId>;
  /** Another number than before: more packs are. */
  readonly last: number;
  /** Another number than before: packs may have been condemned, and be gone, that nobody here heard of. */
  readonly gaps: number;
}

/** The tables of the data packs that were met last, each read from the store. */
export class PackTables {
  readonly #store: Store;
  readonly #secrets: RepositorySecrets;
  readonly #condemned: CondemnedPacks;
  readonly #tables = new Map<ObjectId, Promise<PackTable>>();
  #gaps: number;

  constructor(store: Store, secrets: RepositorySecrets, condemned: CondemnedPacks) {
    this.#store = store;
    this.#secrets = secrets;
    this.#condemned = condemned;
    this.#gaps = condemned.gaps;
  }

  /** VAULT_CORRUPT if the pack isn't there, or does not open. */
  get(pack: ObjectId): Promise<PackTable> {
    if (this.#gaps !== this.#condemned.gaps) {
      this.#gaps = this.#condemned.gaps;
      this.#tables.clear();
    }
    const cached = this.#tables.get(pack);
    this.#tables.delete(pack);
    if (cached !== undefined && !this.#condemned.has(pack)) {
      this.#tables.set(pack, cached);
      return cached;
    }
    const loading = readPackTable(this.#store, 'data', pack, this.#secrets);
    this.#tables.set(pack, loading);
    loading.catch(() => this.#tables.delete(pack));
    const [oldest] = this.#tables.keys();
    if (this.#tables.size > CACHED_TABLES && oldest !== undefined) {
      this.#tables.delete(oldest);
    }
    return loading;
  }

  /** What was read of it no longer holds. */
  forget(pack: ObjectId): void {
    this.#tables.delete(pack);
  }
}
