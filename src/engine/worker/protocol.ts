import type { BlockRun } from '../chunking/plan-windows.ts';
import type { RechunkWindow } from '../chunking/rechunk.ts';
import type { ObjectId } from '../format/ids.ts';
import type { Frame, PackOpener } from '../format/pack-reader.ts';
import type { FilterRef } from '../index/chunk-filter.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { ChunkingParameters } from '../repository-options.ts';
import type { ErrorData, ErrorCode } from '../../kernel/errors.ts';
import type { LaneMemory } from './lane-memory.ts';

/** Given to a worker thread once. */
export interface WorkerSetup {
  readonly secrets: RepositorySecrets;
  readonly parameters: ChunkingParameters;
  readonly lane: LaneMemory;
}

/** Places of chunks: a hole, a pack that was found (its position in `packs`), or one of this write (number plus OWN_PACK). */
export const HOLE = -1;
export const OWN_PACK = 0x4000_0000;
/** Of `chunks` in a cut run: blocks, pack, frame. */
export const CHUNK_INTS = 3;

/** What a write's workers look chunks up in before they ask. All of them share it. */
export interface WriteTables {
  /** Of the index: what none of them may have is new. */
  readonly filters: readonly FilterRef[];
  /** Chunks of this write, durable or not; of no use to any other. */
  readonly own: SharedArrayBuffer;
  /** An older table of the same kind, to which nothing is added. */
  readonly ownBefore: SharedArrayBuffer | null;
}

/** Where chunks were found that a worker asked for, in the order of the question. */
export interface FoundPlaces {
  readonly packs: readonly ObjectId[];
  /** For each chunk: position in `packs` and frame, or -1 and 0. */
  readonly places: Int32Array;
}

/** From block `start` of a segment on, block n lies `shift` blocks nearer to the slot's beginning than n says. */
export interface SlotPlace {
  readonly start: number;
  readonly shift: number;
}

export interface SegmentTask {
  readonly slot: number;
  /** `limit`: blocks of the segment; `bytes`: bytes of the disk in it. */
  readonly limit: number;
  readonly bytes: number;
  readonly windows: readonly RechunkWindow[];
  /** Where the windows lie in the slot; ascending. */
  readonly places: readonly SlotPlace[];
  /** Blocks known to be zeros. Only the first `minChunkBytes` of each run lie in the slot. */
  readonly zeros: readonly BlockRun[];
  /** From now on; null: as before. */
  readonly tables: WriteTables | null;
}

/** A stretch of frames to open from one slot into the other. */
export interface DecodeTask {
  readonly from: number;
  readonly to: number;
  readonly packs: readonly PackOpener[];
  readonly frames: readonly DecodeFrame[];
}

export interface DecodeFrame {
  readonly pack: number;
  readonly frame: Frame;
  /** Where the sealed frame lies in its slot, and where the chunk goes in the other. */
  readonly sealedAt: number;
  readonly rawAt: readonly number[];
}

/** A stretch of an object that lies in a slot; its hash, without a key, is made stretch by stretch. */
export interface HashTask {
  readonly slot: number;
  readonly bytes: number;
  /** Forgets what was hashed before. */
  readonly first: boolean;
}

/** The newest generation of the repository's key when a write begins. */
export type WriteKey = Pick<RepositorySecrets, 'generation' | 'objectRoot'>;

export type ToWorker =
  | { readonly type: 'begin-write'; readonly tables: WriteTables; readonly key: WriteKey }
  | { readonly type: 'segment'; readonly task: SegmentTask }
  | { readonly type: 'end-write' }
  | { readonly type: 'drop-write' }
  | { readonly type: 'buffer'; readonly pack: NewPack }
  | { readonly type: 'places'; readonly found: FoundPlaces }
  | { readonly type: 'decode'; readonly task: DecodeTask }
  | { readonly type: 'hash'; readonly task: HashTask };

export interface StoredRun {
  readonly start: number;
  readonly end: number;
  /** CHUNK_INTS a chunk. */
  readonly chunks: Int32Array;
  /** 16 bytes a chunk; of no meaning for holes. */
  readonly digests: Uint8Array;
}

export interface SegmentDone {
  readonly runs: readonly StoredRun[];
  /** Packs of the index that chunks of the runs lie in. */
  readonly packs: readonly ObjectId[];
  readonly open: { readonly window: number; readonly start: number } | null;
  /** Chunks cut, and how many of them were new. */
  readonly chunksRead: number;
  readonly chunksNew: number;
}

/**
 * A pack that is about to be filled. Its number and id are known here before any worker can say that a chunk lies in it:
 * messages of two workers may arrive in another order than they were sent.
 */
export interface NewPack {
  readonly id: ObjectId;
  /** Its number in this write. */
  readonly number: number;
  readonly buffer: ArrayBuffer;
}

export interface SealedPack {
  readonly id: ObjectId;
  /** Its number in this write. */
  readonly number: number;
  readonly buffer: ArrayBuffer;
  readonly bytes: number;
  /** 16 bytes a frame. */
  readonly digests: Uint8Array;
}

/** What a task came to, where it comes to something: a segment's chunks, the hash so far. */
export interface TaskDone {
  readonly segment?: SegmentDone;
  readonly digest?: Uint8Array;
}

export type FromWorker =
  | { readonly type: 'done'; readonly done: TaskDone }
  | { readonly type: 'need-buffer' }
  | { readonly type: 'look-up'; readonly digests: Uint8Array }
  | { readonly type: 'pack'; readonly pack: SealedPack }
  | { readonly type: 'failed'; readonly error: WireError };

export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly data: ErrorData;
  readonly stack: string | undefined;
}
