import type { ByteRange } from '../ports/block-io.ts';

/**
 * 0: every object is there, is the one that its name says, and is as long as its table says; manifests are decoded.
 * 1: also the keyless hash of every pack. 2: instead of the hash, every frame is opened, decompressed and digested,
 * and every entry of every manifest is held against the pack that it names.
 */
export type VerifyLevel = 0 | 1 | 2;

/**
 * `missing`: not in the store. `truncated`: has no end. `exchanged`: another object under its name. `changed`: other
 * bytes than were written. `unreadable`: the storage target fails to read it. `not-indexed`: whole, but no index
 * segment lists it any more: nothing is lost, what it holds would be stored once more.
 */
export type ObjectProblem = 'missing' | 'truncated' | 'exchanged' | 'changed' | 'unreadable' | 'not-indexed';

export interface DamagedObject {
  /** As in the store: `data/ab/…`, `meta/…`, `index/…`, `points/…`. */
  readonly name: string;
  readonly problem: ObjectProblem;
  readonly message: string;
  /** What can't be read of a pack any more. None: its content is whole, only what surrounds it is not. */
  readonly lostFrames: readonly number[] | 'all';
}

export interface DamagedDisk {
  readonly diskKey: string;
  readonly sizeBytes: number;
  /** What can't be restored, in ascending order; all else of the disk can. */
  readonly ranges: readonly ByteRange[];
  readonly lostBytes: number;
}

export interface DamagedPoint {
  readonly pointId: string;
  /** Null where the point's own object is damaged: then all of it is lost, and nobody knows whose it was. */
  readonly vmId: string | null;
  readonly takenAt: number | null;
  readonly disks: readonly DamagedDisk[];
  /** Damaged objects that cause it. */
  readonly objects: readonly string[];
}

/** When a pack was last looked at. */
export interface PackRecord {
  /** Null: never. A scrub that met it for the first time left it to a later run. */
  readonly level: VerifyLevel | null;
  /** Milliseconds since the epoch; where it was never looked at, when a scrub first met it. */
  readonly checkedAt: number;
  readonly damaged: boolean;
}

/** A scrub goes round: each of its runs reads some packs, so that every pack is read once in each period. */
export interface ScrubPace {
  readonly periodMs: number;
  /** When the next run comes, from the start of this one. What is due before then is read now, and an even share. */
  readonly everyMs: number;
}

/** What the next run begins with; plain JSON, by the packs' names. */
export interface VerifyState {
  readonly packs: Readonly<Record<string, PackRecord>>;
}

export interface VerifyProgress {
  readonly phase: 'manifests' | 'packs' | 'ranges';
  /** Of the phase: meta packs, data packs, restore points. */
  readonly done: number;
  readonly total: number;
  readonly bytesRead: number;
  /** Of all packs that are read in this run; 0 while they aren't known yet. */
  readonly bytesTotal: number;
}

export interface VerifyRequest {
  /** The session that pins what is verified: its lease is renewed for as long as this takes. */
  readonly sessionId?: string;
  readonly level: VerifyLevel;
  /** Only these; absent: all that the vault lists. NO_RESTORE_POINT if one of them isn't there. */
  readonly pointIds?: readonly string[];
  /** Of an earlier run. Packs are read oldest first: damaged ones, those never seen, then by time. */
  readonly state?: VerifyState;
  /** Packs that were found whole at this level or a higher one since then, in milliseconds, are not read again. */
  readonly since?: number;
  /** No further pack is begun after so many bytes. */
  readonly maxBytes?: number;
  /** Read what is due, oldest first, and no more. In place of `since`. */
  readonly scrub?: ScrubPace;
  /**
   * Condemn data packs that are found damaged: they leave deduplication at once, the next backup reads again what it
   * inherits from them, and older restore points find what it stores by digest. Condemned is final.
   */
  readonly condemn?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: VerifyProgress) => void;
  /**
   * As soon as a pack has been read, or met for the first time by a scrub: for a caller that keeps its state although the
   * run may be interrupted.
   */
  readonly onPack?: (name: string, record: PackRecord) => void;
}

export interface VerifyResult {
  readonly level: VerifyLevel;
  /** False where `maxBytes` ended the run before all packs had been read that it was to read. */
  readonly complete: boolean;
  readonly packsChecked: number;
  /** Packs that points need and that were not read in this run, as `since`, `maxBytes` or `scrub` asked. */
  readonly packsLeft: number;
  readonly bytesRead: number;
  readonly damagedObjects: readonly DamagedObject[];
  /** Names of the packs that this run condemned. */
  readonly condemnedPacks: readonly string[];
  /** As it is after the damaged packs were condemned: what is found by digest elsewhere is not lost. */
  readonly damagedPoints: readonly DamagedPoint[];
  readonly intactPoints: readonly string[];
  /** For the next run; without packs that no point needs any more. */
  readonly state: VerifyState;
}
