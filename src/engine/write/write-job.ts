import { throwIfAborted } from '../../kernel/abort.ts';
import { packName } from '../format/names.ts';
import { newObjectId, type ObjectId } from '../format/ids.ts';
import { ChunkTable } from '../index/chunk-table.ts';
import type { IndexSnapshot } from '../index/chunk-index.ts';
import type { IndexedPack } from '../index/index-segment.ts';
import { SHORT_DIGEST_BYTES } from '../keys/digest.ts';
import { encodeRecords, type ManifestEntry, type SegmentRecord, type SegmentRun } from '../manifest/segment-record.ts';
import type { RepositoryContext } from '../repository-context.ts';
import type { WriteHost } from '../worker/lane.ts';
import {
  CHUNK_INTS,
  HOLE,
  OWN_PACK,
  type NewPack,
  type SealedPack,
  type StoredRun,
  type WriteTables,
} from '../worker/protocol.ts';
import { packsOf, type JournalState, type WriteCounts, type WriteJournal } from './journal.ts';

const RECORDS_PER_ENTRY = 64;
const MAX_OWN_CHUNKS = 4 * 1024 * 1024;

/** One write of a disk: its packs, what it settled, its journal. Shared by the lanes that work on it. */
export class WriteJob implements WriteHost {
  readonly tables: WriteTables;
  /** Encoded, one each: a disk has many. */
  readonly records = new Map<number, Buffer>();
  readonly indexed: IndexedPack[] = [];
  readonly #context: RepositoryContext;
  readonly #journal: WriteJournal;
  readonly #snapshot: IndexSnapshot;
  readonly #signal: AbortSignal;
  readonly #fail: (error: unknown) => void;
  readonly #own = new Set<ObjectId>();
  readonly #numbered = new Map<number, ObjectId>();
  readonly #uploads = new Set<Promise<void>>();
  #unjournaled: SegmentRecord[] = [];
  #counts: WriteCounts = { bytesRead: 0, chunksRead: 0, chunksNew: 0 };
  #journaled: WriteCounts = this.#counts;
  #buffersHeld = 0;
  #storedBytes = 0;

  /** `expectedChunks`: about how many new ones there may be. `fail` ends the whole write. */
  constructor(
    context: RepositoryContext,
    journal: WriteJournal,
    resume: JournalState,
    snapshot: IndexSnapshot,
    how: { readonly expectedChunks: number; readonly signal: AbortSignal; readonly fail: (error: unknown) => void },
  ) {
    this.#context = context;
    this.#journal = journal;
    this.#snapshot = snapshot;
    this.#signal = how.signal;
    this.#fail = how.fail;
    for (const record of resume.records.values()) {
      this.records.set(record.segment, encodeRecords([record]));
    }
    this.tables = {
      known: snapshot.table.buffer,
      own: ChunkTable.allocate(Math.min(how.expectedChunks, MAX_OWN_CHUNKS)).buffer,
    };
    for (const sizeBytes of resume.packs.values()) {
      this.#storedBytes += sizeBytes;
    }
  }

  get counts(): WriteCounts {
    return this.#counts;
  }

  /** In packs that are in the store. */
  get storedBytes(): number {
    return this.#storedBytes;
  }

  /** Takes the packs of an interrupted call over: what they hold is found again, and indexed in the end. */
  async adopt(packs: Iterable<ObjectId>): Promise<void> {
    const own = new ChunkTable(this.tables.own);
    for (const id of packs) {
      const table = await this.#context.chunks.table(id);
      const digests = new Uint8Array(table.frameCount * SHORT_DIGEST_BYTES);
      const number = this.#begin(id);
      for (let frame = 0; frame < table.frameCount; frame += 1) {
        const digest = table.frame(frame).digest.subarray(0, SHORT_DIGEST_BYTES);
        digests.set(digest, frame * SHORT_DIGEST_BYTES);
        own.add(digest, OWN_PACK + number, frame);
      }
      this.indexed.push({ id, digests });
    }
  }

  async nextPack(): Promise<NewPack> {
    const buffer = await this.#context.lanes.buffers.acquire(this.#signal);
    this.#buffersHeld += 1;
    const id = newObjectId();
    return { id, number: this.#begin(id), buffer };
  }

  packSealed(pack: SealedPack): void {
    const upload = this.#upload(pack).catch(this.#fail);
    this.#uploads.add(upload);
    void upload.finally(() => this.#uploads.delete(upload));
  }

  countRead(bytesRead: number, chunksRead: number, chunksNew: number): void {
    const { bytesRead: a, chunksRead: b, chunksNew: c } = this.#counts;
    this.#counts = { bytesRead: a + bytesRead, chunksRead: b + chunksRead, chunksNew: c + chunksNew };
  }

  /** A segment is settled but for packs that may still be open: its record will count once they are in the store. */
  async addRecord(record: SegmentRecord): Promise<void> {
    this.records.set(record.segment, encodeRecords([record]));
    this.#unjournaled.push(record);
    if (this.#unjournaled.length >= RECORDS_PER_ENTRY) {
      await this.#writeJournal([]);
    }
  }

  toRun(run: StoredRun): SegmentRun {
    const entries: ManifestEntry[] = [];
    for (let i = 0; i < run.chunks.length / CHUNK_INTS; i += 1) {
      const [blocks = 0, pack = HOLE, frame = 0] = run.chunks.subarray(i * CHUNK_INTS, (i + 1) * CHUNK_INTS);
      const digest = run.digests.subarray(i * SHORT_DIGEST_BYTES, (i + 1) * SHORT_DIGEST_BYTES);
      entries.push({ blocks, chunk: pack === HOLE ? null : { pack: this.#packId(pack), frame, digest } });
    }
    return { start: run.start, end: run.end, entries };
  }

  /** All packs that were sealed are in the store when this returns. */
  async settleUploads(): Promise<void> {
    while (this.#uploads.size > 0) {
      await Promise.all(this.#uploads);
    }
  }

  /** Gives the memory back that went down with the workers' state. After all uploads have ended. */
  releaseBuffers(): void {
    for (; this.#buffersHeld > 0; this.#buffersHeld -= 1) {
      this.#context.lanes.buffers.release(null);
    }
  }

  async #upload(pack: SealedPack): Promise<void> {
    let done: ArrayBuffer | null = null;
    try {
      throwIfAborted(this.#signal);
      await this.#writeJournal([pack.id]);
      const data = new Uint8Array(pack.buffer, 0, pack.bytes);
      await this.#context.store.putIfAbsent(packName('data', pack.id), [data], { signal: this.#signal });
      done = pack.buffer;
      this.#storedBytes += pack.bytes;
      this.indexed.push({ id: pack.id, digests: pack.digests });
    } finally {
      this.#buffersHeld -= 1;
      // A store that was interrupted may not have let go of the memory: then it is freed when nobody has it any more.
      this.#context.lanes.buffers.release(done);
    }
  }

  async #writeJournal(newPacks: readonly ObjectId[]): Promise<void> {
    const records = this.#unjournaled;
    this.#unjournaled = [];
    const counts = this.#counts;
    const since = {
      bytesRead: counts.bytesRead - this.#journaled.bytesRead,
      chunksRead: counts.chunksRead - this.#journaled.chunksRead,
      chunksNew: counts.chunksNew - this.#journaled.chunksNew,
    };
    this.#journaled = counts;
    const own = records.flatMap(packsOf).filter((pack) => this.#own.has(pack));
    await this.#journal.append(since, [...new Set([...newPacks, ...own])], records);
  }

  #begin(id: ObjectId): number {
    const number = this.#own.size;
    this.#own.add(id);
    this.#numbered.set(number, id);
    return number;
  }

  #packId(pack: number): ObjectId {
    const id = pack >= OWN_PACK ? this.#numbered.get(pack - OWN_PACK) : this.#snapshot.packs[pack];
    if (id === undefined) {
      throw new RangeError(`a chunk was placed in pack ${pack}, which is not known`);
    }
    return id;
  }
}
