import { corrupt } from '../format/header.ts';
import type { ObjectId } from '../format/ids.ts';
import { FrameOpener, hasShortDigest, readPackTable, type Frame, type PackTable } from '../format/pack-reader.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { ChunkRef } from '../manifest/segment-record.ts';
import type { Store } from '../ports/store.ts';

const CACHED_TABLES = 128;

export interface FoundFrame {
  readonly table: PackTable;
  readonly frame: Frame;
}

/** Finds chunks in their packs. Keeps the tables of the packs that it met last. */
export class ChunkReader {
  readonly #store: Store;
  readonly #secrets: RepositorySecrets;
  readonly #tables = new Map<ObjectId, Promise<PackTable>>();

  constructor(store: Store, secrets: RepositorySecrets) {
    this.#store = store;
    this.#secrets = secrets;
  }

  async find(chunk: ChunkRef): Promise<FoundFrame> {
    const table = await this.table(chunk.pack);
    const frame = table.frame(chunk.frame);
    if (!hasShortDigest(frame, chunk.digest)) {
      throw corrupt(table.opener.name, `holds another chunk in frame ${chunk.frame} than the manifest says`);
    }
    return { table, frame };
  }

  /** One chunk, checked. For single chunks: it is opened on the thread that asks. */
  async read(chunk: ChunkRef, signal?: AbortSignal): Promise<Uint8Array> {
    const { table, frame } = await this.find(chunk);
    const sealed = new Uint8Array(frame.sealedBytes);
    await this.#store.getRange(table.opener.name, frame.offset, sealed, signal);
    return new FrameOpener(table.opener, this.#secrets.digestKey).open(frame, sealed);
  }

  table(pack: ObjectId): Promise<PackTable> {
    const cached = this.#tables.get(pack);
    if (cached !== undefined) {
      this.#tables.delete(pack);
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
}
