import { OBJECT_KIND } from '../format/header.ts';
import type { ObjectId } from '../format/ids.ts';
import { indexName } from '../format/names.ts';
import { openObject, sealObject } from '../format/sealed-object.ts';
import { keyedDigest } from '../keys/digest.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store } from '../ports/store.ts';
import { ChunkTable } from './chunk-table.ts';
import { decodeIndexSegment, encodeIndexSegment, type DecodedIndexSegment, type IndexedPack } from './index-segment.ts';

const GROWTH = 2;

/** What a write looks chunks up in: a table that threads share, whose pack numbers count positions in `packs`. */
export interface IndexSnapshot {
  readonly table: ChunkTable;
  readonly packs: readonly ObjectId[];
}

/**
 * The chunks of a repository, from its immutable index segments. Only what is durable is in it. This version keeps
 * all of it in memory (about 40 bytes a chunk); a segment is read once.
 */
export class ChunkIndex {
  readonly #store: Store;
  readonly #secrets: RepositorySecrets;
  readonly #segments = new Map<string, DecodedIndexSegment>();
  readonly #packs: ObjectId[] = [];
  #table = ChunkTable.allocate(0);
  #refreshing: Promise<void> = Promise.resolve();

  constructor(store: Store, secrets: RepositorySecrets) {
    this.#store = store;
    this.#secrets = secrets;
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
    await this.#store.putIfAbsent(indexName(this.#secrets.generation, id), [sealed], signal);
    return sealed.length;
  }

  async #load(signal?: AbortSignal): Promise<void> {
    const prefix = indexName(this.#secrets.generation, '');
    for await (const { name } of this.#store.list(prefix)) {
      if (!this.#segments.has(name)) {
        const id = name.slice(prefix.length);
        const data = await this.#store.get(name, signal);
        const { payload } = openObject(data, name, { id, kinds: [OBJECT_KIND.indexSegment] }, this.#secrets);
        this.#add(name, decodeIndexSegment(payload, name));
      }
    }
  }

  #add(name: string, segment: DecodedIndexSegment): void {
    const needed = this.#table.size + segment.entries;
    if (needed > this.#table.capacity) {
      this.#table = ChunkTable.allocate(needed * GROWTH);
      let first = 0;
      for (const known of this.#segments.values()) {
        insert(this.#table, known, first);
        first += known.packs.length;
      }
    }
    insert(this.#table, segment, this.#packs.length);
    this.#packs.push(...segment.packs);
    this.#segments.set(name, segment);
  }
}

function insert(table: ChunkTable, segment: DecodedIndexSegment, firstPack: number): void {
  segment.visit((digest, pack, frame) => {
    table.add(digest, firstPack + pack, frame);
  });
}
