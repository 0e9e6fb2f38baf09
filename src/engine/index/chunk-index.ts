import { OBJECT_KIND } from '../format/header.ts';
import { isAppError } from '../../kernel/errors.ts';
import { isObjectId, type ObjectId } from '../format/ids.ts';
import { DATA_PREFIX, INDEX_PREFIX, indexName, packName } from '../format/names.ts';
import { openObject, sealObject } from '../format/sealed-object.ts';
import { keyedDigest } from '../keys/digest.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store } from '../ports/store.ts';
import type { ChunkLocator } from '../restore/chunk-reader.ts';
import type { CondemnedPacks } from '../restore/pack-tables.ts';
import { ChunkTable } from './chunk-table.ts';
import { decodeIndexSegment, encodeIndexSegment, type DecodedIndexSegment, type IndexedPack } from './index-segment.ts';

const GROWTH = 2;
/** More packs than this are looked for with one list instead of one by one. */
const FEW_PACKS = 64;

/** What a write looks chunks up in: a table that threads share, whose pack numbers count positions in `packs`. */
export interface IndexSnapshot {
  readonly table: ChunkTable;
  readonly packs: readonly ObjectId[];
}

/**
 * The chunks of a repository, from its immutable index segments. Only what is durable is in it. This version keeps
 * all of it in memory (about 40 bytes a chunk); a segment is read once.
 */
export class ChunkIndex implements ChunkLocator {
  readonly #store: Store;
  readonly #secrets: RepositorySecrets;
  readonly #condemned: CondemnedPacks;
  readonly #segments = new Map<string, DecodedIndexSegment>();
  readonly #packs: ObjectId[] = [];
  /** Named by index segments, and not in the store: what they held is stored again. */
  readonly #missing = new Set<ObjectId>();
  /** Segments that don't open; whoever verifies the vault names them. */
  readonly #damaged = new Set<string>();
  #table = ChunkTable.allocate(0);
  #refreshing: Promise<void> = Promise.resolve();

  constructor(store: Store, secrets: RepositorySecrets, condemned: CondemnedPacks) {
    this.#store = store;
    this.#secrets = secrets;
    this.#condemned = condemned;
  }

  async packsOf(digest: Uint8Array): Promise<readonly ObjectId[]> {
    return [...this.#segments.values()].flatMap((segment) => segment.packsOf(digest));
  }

  async relearn(): Promise<boolean> {
    const before = this.#segments.size;
    await this.refresh();
    return this.#segments.size !== before;
  }

  /** Everything that other writers have published so far. */
  async refresh(signal?: AbortSignal): Promise<IndexSnapshot> {
    const turn = this.#refreshing.then(() => this.#load(signal));
    this.#refreshing = turn.catch(() => undefined);
    await turn;
    return { table: this.#table, packs: this.#packs };
  }

  /** Writes what new packs hold; they must be durable. Named by its content, so that a retry writes nothing twice. */
  async publish(packs: readonly IndexedPack[], signal?: AbortSignal): Promise<number> {
    const payload = encodeIndexSegment(packs);
    const id = keyedDigest(this.#secrets.nameKey, Buffer.from('index\0'), payload).toString('hex', 0, 16);
    const sealed = sealObject(OBJECT_KIND.indexSegment, id, payload, this.#secrets);
    await this.#store.putIfAbsent(indexName(this.#secrets.generation, id), [sealed], { signal });
    return sealed.length;
  }

  async #load(signal?: AbortSignal): Promise<void> {
    const fresh = new Map<string, DecodedIndexSegment>();
    for await (const { name } of this.#store.list(INDEX_PREFIX)) {
      const id = name.slice(name.lastIndexOf('/') + 1);
      if (isObjectId(id) && !this.#segments.has(name) && !this.#damaged.has(name)) {
        const segment = await this.#read(name, id, signal);
        if (segment !== null) {
          fresh.set(name, segment);
        }
      }
    }
    await this.#findMissing([...fresh.values()].flatMap(({ packs }) => packs));
    for (const [name, segment] of fresh) {
      this.#add(name, segment);
    }
  }

  /** Null where it is damaged: that costs deduplication with what it lists, and no backup. */
  async #read(name: string, id: ObjectId, signal?: AbortSignal): Promise<DecodedIndexSegment | null> {
    const data = await this.#store.get(name, signal);
    try {
      const { payload } = openObject(data, name, { id, kinds: [OBJECT_KIND.indexSegment] }, this.#secrets);
      return decodeIndexSegment(payload, name);
    } catch (error) {
      if (!isAppError(error, 'VAULT_CORRUPT')) {
        throw error;
      }
      this.#damaged.add(name);
      return null;
    }
  }

  /** A new restore point must not rely on a pack that was lost: its chunks are at hand now, and perhaps never again. */
  async #findMissing(packs: readonly ObjectId[]): Promise<void> {
    if (packs.length > FEW_PACKS) {
      const present = new Set<string>();
      for await (const { name } of this.#store.list(DATA_PREFIX)) {
        present.add(name);
      }
      packs.filter((pack) => !present.has(packName('data', pack))).forEach((pack) => this.#missing.add(pack));
      return;
    }
    for (const pack of packs) {
      if ((await this.#store.head(packName('data', pack))) === null) {
        this.#missing.add(pack);
      }
    }
  }

  #insert(segment: DecodedIndexSegment, firstPack: number): void {
    segment.visit((digest, pack, frame) => {
      const id = segment.packs[pack] ?? '';
      if (!this.#missing.has(id) && !this.#condemned.has(id)) {
        this.#table.add(digest, firstPack + pack, frame);
      }
    });
  }

  #add(name: string, segment: DecodedIndexSegment): void {
    const needed = this.#table.size + segment.entries;
    if (needed > this.#table.capacity) {
      this.#table = ChunkTable.allocate(needed * GROWTH);
      let first = 0;
      for (const known of this.#segments.values()) {
        this.#insert(known, first);
        first += known.packs.length;
      }
    }
    this.#insert(segment, this.#packs.length);
    this.#packs.push(...segment.packs);
    this.#segments.set(name, segment);
  }
}
