import { throwIfAborted } from '../../kernel/abort.ts';
import { limit } from '../../kernel/limit.ts';
import { packName } from '../format/names.ts';
import { newObjectId, type ObjectId } from '../format/ids.ts';
import type { ChunkPlace } from '../index/digest-cache.ts';
import type { IndexedPack } from '../index/index-entries.ts';
import { SHORT_DIGEST_BYTES } from '../keys/digest.ts';
import type { ManifestEntry, SegmentRecord, SegmentRun } from '../manifest/segment-record.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { packMemory } from '../worker/buffer-pool.ts';
import type { WriteHost } from '../worker/lane.ts';
import {
  CHUNK_INTS,
  HOLE,
  OWN_PACK,
  type FoundPlaces,
  type NewPack,
  type SealedPack,
  type SegmentDone,
  type StoredRun,
  type WriteTables,
} from '../worker/protocol.ts';
import type { WriteCounts } from '../sessions/journal-entry.ts';
import type { JournalState, WriteJournal } from './journal.ts';
import type { LayerSpill } from './layer-spill.ts';
import { OwnChunks } from './own-chunks.ts';
import { packBytesAt } from './pack-bytes.ts';
import { PackNumbers } from './pack-numbers.ts';

const RECORDS_PER_ENTRY = 64;
const ADOPTED_AT_ONCE = 8;

/** Which tables a worker has. */
export interface TableState {
  readonly epoch: number;
  readonly version: number;
}

/** About how much may be new. */
export interface WriteExpectations {
  readonly expectedBytes: number;
  readonly expectedChunks: number;
}

/** One write of a disk: its packs, what it settled, its journal. Shared by the lanes that work on it. */
export class WriteJob implements WriteHost {
  readonly #context: RepositoryContext;
  readonly #journal: WriteJournal;
  readonly #spill: LayerSpill;
  readonly #signal: AbortSignal;
  readonly #fail: (error: unknown) => void;
  readonly #own: OwnChunks;
  readonly #packs = new PackNumbers();
  readonly #uploads = new Set<Promise<void>>();
  /** In the store, and not in the index yet. */
  #unpublished: { readonly number: number; readonly pack: IndexedPack }[] = [];
  #publishing: Promise<void> = Promise.resolve();
  #indexBytes = 0;
  #unjournaled: SegmentRecord[] = [];
  /** Packs of this write that records of `#unjournaled` name. */
  #named = new Set<ObjectId>();
  #counts: WriteCounts = { bytesRead: 0, chunksRead: 0, chunksNew: 0 };
  #journaled: WriteCounts = this.#counts;
  readonly #expectedBytes: number;
  #packsBegun = 0;
  /** In packs that are filled or under way to the store. */
  #bytesHeld = 0;
  /** Versions of filters that tasks under way have. */
  readonly #held = new Map<object, number>();
  #storedBytes = 0;

  /** `fail` ends the whole write. */
  constructor(
    context: RepositoryContext,
    {
      journal,
      resume,
      spill,
    }: { readonly journal: WriteJournal; readonly resume: JournalState; readonly spill: LayerSpill },
    how: WriteExpectations & { readonly signal: AbortSignal; readonly fail: (error: unknown) => void },
  ) {
    this.#context = context;
    this.#journal = journal;
    this.#spill = spill;
    this.#signal = how.signal;
    this.#fail = how.fail;
    this.#own = new OwnChunks(Math.min(how.expectedChunks, context.index.limits.ownChunks));
    this.#storedBytes = resume.storedBytes;
    this.#expectedBytes = how.expectedBytes;
  }

  get counts(): WriteCounts {
    return this.#counts;
  }

  /** In packs that are in the store. */
  get storedBytes(): number {
    return this.#storedBytes;
  }

  /** In index segments. */
  get indexBytes(): number {
    return this.#indexBytes;
  }

  /** Takes the packs of an interrupted call over: what they hold is found again, and indexed in the end. */
  async adopt(packs: Iterable<ObjectId>): Promise<void> {
    const turn = limit(ADOPTED_AT_ONCE);
    await Promise.all(Array.from(packs, (id) => turn(() => this.#adoptPack(id))));
  }

  /** Tables for a task of a worker that will have those of `known` then; null if they are the same. Until `endTask`. */
  beginTask(
    task: object,
    known: TableState | null,
  ): { readonly state: TableState; readonly tables: WriteTables | null } {
    this.#own.begin(task);
    const filters = this.#context.index.holdFilters();
    this.#held.set(task, filters.version);
    const state = { epoch: this.#own.epoch, version: filters.version };
    const isSame = known?.epoch === state.epoch && known.version === state.version;
    return { state, tables: isSame ? null : { filters: filters.refs, ...this.#own.tables } };
  }

  /** Between tasks new chunks go into the index, when there are many. */
  endTask(task: object): void {
    this.#own.end(task);
    this.#releaseFilters(task);
    if (this.#own.isDue()) {
      this.#publishing = this.#publishEarly().catch(this.#fail);
    }
    this.#own.forget((number) => this.#packs.isPublished(number));
  }

  async lookUp(digests: Uint8Array): Promise<FoundPlaces> {
    try {
      return toFoundPlaces(await this.#context.index.lookUp(digests, this.#signal));
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  async nextPack(): Promise<NewPack> {
    const { lanes, parameters } = this.#context;
    const bytes = packBytesAt(Math.floor(this.#packsBegun / lanes.size), this.#expectedBytes, parameters);
    this.#packsBegun += 1;
    const buffer = await lanes.buffers.acquire(bytes, this.#signal);
    this.#bytesHeld += bytes;
    const id = newObjectId();
    return { id, number: this.#packs.add(id), buffer };
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

  /** Waits while the record of this segment would have to wait for too many others. */
  async roomFor(segment: number): Promise<void> {
    if (this.#spill.isFarAhead(segment)) {
      await this.#spill.untilCloser(segment);
    }
  }

  /**
   * A segment is settled but for packs that may still be open: its record will count once they are in the store. `own`,
   * which names those of this write, goes into the same entry: others may be lost.
   */
  async addRecord(record: SegmentRecord, own: ReadonlySet<ObjectId>): Promise<void> {
    this.#unjournaled.push(record);
    own.forEach((pack) => this.#named.add(pack));
    if (this.#unjournaled.length >= RECORDS_PER_ENTRY) {
      await this.#writeJournal([]);
    }
    await this.#spill.add(record);
  }

  /** Packs of this write that the runs name are added to `own`. */
  toRuns({ runs, packs }: SegmentDone, own: Set<ObjectId>): SegmentRun[] {
    return runs.map((run) => this.#toRun(run, packs, own));
  }

  /** All packs that were sealed are in the store when this returns. */
  async settleUploads(): Promise<void> {
    while (this.#uploads.size > 0) {
      await Promise.all(this.#uploads);
    }
  }

  /** The rest of what was stored goes into the index. After all uploads have ended. */
  async finishIndex(): Promise<void> {
    await this.#publishing;
    throwIfAborted(this.#signal);
    await this.#publish();
  }

  /** Gives the memory back that went down with the workers' state. After all uploads have ended. */
  releaseBuffers(): void {
    this.#context.lanes.buffers.lose(this.#bytesHeld);
    this.#bytesHeld = 0;
  }

  #releaseFilters(task: object): void {
    const version = this.#held.get(task);
    this.#held.delete(task);
    if (version !== undefined) {
      this.#context.index.releaseFilters(version);
    }
  }

  async #upload(pack: SealedPack): Promise<void> {
    const { buffers } = this.#context.lanes;
    const memory = packMemory(pack.buffer);
    let isDone = false;
    try {
      throwIfAborted(this.#signal);
      await this.#writeJournal([pack.id]);
      const data = memory.subarray(0, pack.bytes);
      await this.#context.store.putIfAbsent(packName('data', pack.id), [data], { signal: this.#signal });
      isDone = true;
      this.#storedBytes += pack.bytes;
      this.#unpublished.push({ number: pack.number, pack: { id: pack.id, digests: pack.digests } });
    } finally {
      this.#bytesHeld -= memory.length;
      if (isDone) {
        buffers.release(pack.buffer);
      } else {
        // A store that was interrupted may not have let go of the memory.
        buffers.lose(memory.length);
      }
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
    const named = this.#named;
    this.#named = new Set();
    await this.#journal.append(since, { packs: [...new Set([...newPacks, ...named])] }, records);
  }

  async #adoptPack(id: ObjectId): Promise<void> {
    const table = await this.#context.chunks.table(id);
    const digests = table.shortDigests();
    const number = this.#packs.add(id);
    for (let frame = 0; frame < table.frameCount; frame += 1) {
      this.#own.add(digests.subarray(frame * SHORT_DIGEST_BYTES, (frame + 1) * SHORT_DIGEST_BYTES), number, frame);
    }
    this.#unpublished.push({ number, pack: { id, digests } });
  }

  /** What is in the store by now; the journal says so, that nobody adopts it again. */
  async #publish(): Promise<void> {
    const packs = this.#unpublished;
    this.#unpublished = [];
    if (packs.length === 0) {
      return;
    }
    const { store, index } = this.#context;
    await store.flush();
    this.#indexBytes += await index.publish(
      packs.map(({ pack }) => pack),
      this.#signal,
    );
    packs.forEach(({ number }) => this.#packs.setPublished(number));
    const nothing = { bytesRead: 0, chunksRead: 0, chunksNew: 0 };
    await this.#journal.append(nothing, { packs: [], published: packs.map(({ pack }) => pack.id) }, []);
  }

  async #publishEarly(): Promise<void> {
    await this.#publish();
    this.#own.published();
  }

  #toRun({ start, end, chunks, digests }: StoredRun, packs: readonly ObjectId[], own: Set<ObjectId>): SegmentRun {
    const entries: ManifestEntry[] = [];
    for (let i = 0; i < chunks.length / CHUNK_INTS; i += 1) {
      const [blocks = 0, pack = HOLE, frame = 0] = chunks.subarray(i * CHUNK_INTS, (i + 1) * CHUNK_INTS);
      const digest = digests.subarray(i * SHORT_DIGEST_BYTES, (i + 1) * SHORT_DIGEST_BYTES);
      entries.push({ blocks, chunk: pack === HOLE ? null : { pack: this.#packId(pack, packs, own), frame, digest } });
    }
    return { start, end, entries };
  }

  #packId(pack: number, found: readonly ObjectId[], own: Set<ObjectId>): ObjectId {
    if (pack >= OWN_PACK) {
      const named = this.#packs.id(pack - OWN_PACK);
      own.add(named);
      return named;
    }
    const id = found[pack];
    if (id === undefined) {
      throw new RangeError(`a chunk was placed in pack ${pack} of ${found.length}`);
    }
    return id;
  }
}

function toFoundPlaces(found: readonly (ChunkPlace | null)[]): FoundPlaces {
  const packs = new Map<ObjectId, number>();
  const places = new Int32Array(2 * found.length);
  for (const [i, place] of found.entries()) {
    const pack = place === null ? -1 : (packs.get(place.pack) ?? packs.size);
    if (place !== null) {
      packs.set(place.pack, pack);
    }
    places.set([pack, place?.frame ?? 0], 2 * i);
  }
  return { packs: [...packs.keys()], places };
}
