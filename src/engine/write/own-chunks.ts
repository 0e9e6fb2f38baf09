import { ChunkTable } from '../index/chunk-table.ts';
import { OWN_PACK } from '../worker/protocol.ts';

type Phase = 'filling' | 'turning' | 'publishing' | 'published';

export interface OwnTables {
  readonly own: SharedArrayBuffer;
  readonly ownBefore: SharedArrayBuffer | null;
}

/**
 * The new chunks of one write, until the index has them. Half full, the table gives way to an empty one; when no worker
 * uses it any more, the packs that are stored are published; when all workers know what was published, entries of packs
 * that are still open move on, and it goes. A chunk can be found at every moment of that, in memory that has a bound.
 */
export class OwnChunks {
  readonly #chunks: number;
  /** Tasks under way, and which tables they use. */
  readonly #busy = new Map<object, number>();
  #table: ChunkTable;
  #before: ChunkTable | null = null;
  #phase: Phase = 'filling';
  #epoch = 0;

  constructor(chunks: number) {
    this.#chunks = chunks;
    this.#table = ChunkTable.allocate(chunks);
  }

  /** Counts up when workers are to be given other tables, or to learn what was published. */
  get epoch(): number {
    return this.#epoch;
  }

  get tables(): OwnTables {
    return { own: this.#table.buffer, ownBefore: this.#before?.buffer ?? null };
  }

  add(digest: Uint8Array, pack: number, frame: number): void {
    this.#table.add(digest, OWN_PACK + pack, frame);
  }

  /** This task uses the tables as they are. */
  begin(task: object): void {
    this.#busy.set(task, this.#epoch);
  }

  end(task: object): void {
    this.#busy.delete(task);
  }

  /** True when it is time to publish; then `published` has to follow. */
  isDue(): boolean {
    if (this.#phase === 'filling' && this.#table.size > this.#table.capacity / 2) {
      this.#before = this.#table;
      this.#table = ChunkTable.allocate(this.#chunks);
      this.#epoch += 1;
      this.#phase = 'turning';
    }
    if (this.#phase === 'turning' && this.#isQuiet()) {
      this.#phase = 'publishing';
      return true;
    }
    return false;
  }

  published(): void {
    this.#epoch += 1;
    this.#phase = 'published';
  }

  /** Forgets what was published, if every worker has learnt of it. */
  forget(isPublished: (pack: number) => boolean): void {
    if (this.#phase !== 'published' || !this.#isQuiet()) {
      return;
    }
    this.#before?.visit((digest, pack, frame) => {
      if (!isPublished(pack - OWN_PACK)) {
        this.#table.add(digest, pack, frame);
      }
    });
    this.#before = null;
    this.#epoch += 1;
    this.#phase = 'filling';
  }

  #isQuiet(): boolean {
    return [...this.#busy.values()].every((epoch) => epoch === this.#epoch);
  }
}
