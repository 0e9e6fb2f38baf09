import type { Clock } from '../kernel/clock.ts';
import type { AppError } from '../kernel/errors.ts';
import type { IndexLimits } from './index/chunk-index.ts';
import type { KeyRing } from './ports/key-ring.ts';
import type { Leases } from './ports/leases.ts';
import type { Store } from './ports/store.ts';
import type { CollectRequest, CollectResult } from './collect/collect-types.ts';
import type { HoldRequest, PointCustody } from './points/custody-types.ts';
import type { LostPoint } from './points/lost-points.ts';
import type { Catalog } from './repair/catalog-types.ts';
import type { RepairRequest, RepairResult } from './repair/repair-types.ts';
import type { CopyPointRequest, CopyResult } from './copy/copy-types.ts';
import type { VerifyRequest, VerifyResult } from './verify/verify-types.ts';

/** Bytes from `offset` on; as XAPI's changed blocks they may overlap, touch or reach past the disk's end. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** What a disk is read from. */
export interface BlockSource {
  /** How many reads it serves well at the same time. */
  readonly concurrency: number;
  /** Fills `into`, which is the engine's (shared) memory, from `offset` on; never reaches past the disk's end. */
  read(offset: number, into: Uint8Array, signal: AbortSignal): Promise<void>;
}

/** What a disk is restored to. Calls may come in any order and `concurrency` at a time; none overlap. */
export interface BlockSink {
  readonly concurrency: number;
  /** `data` is the engine's memory and is only valid until the promise settles. */
  write(offset: number, data: Uint8Array, signal: AbortSignal): Promise<void>;
  /** This range reads as zeros. Absent: holes are skipped, for sinks that are known to be zero. */
  hole?(offset: number, length: number, signal: AbortSignal): Promise<void>;
}

/** Fixed when a repository is created, recorded in `repo.<n>`; all in bytes. */
export interface ChunkingParameters {
  readonly blockBytes: number;
  readonly minChunkBytes: number;
  readonly averageChunkBytes: number;
  readonly maxChunkBytes: number;
  readonly segmentBytes: number;
  readonly packBytes: number;
}

export type SessionPurpose = 'backup' | 'restore' | 'verify' | 'copy' | 'collect';

export interface SessionRequest {
  readonly sessionId: string;
  /** The id that the restore point of this session will have; for readers a fresh UUID that never becomes one. */
  readonly pointId: string;
  readonly purpose: SessionPurpose;
  /** Restore points that this session reads. */
  readonly pins: readonly string[];
  /**
   * About when its restore point may be deleted, as far as that is known: where the store can lock, packs are locked from
   * the moment they are there, and need no request at the commit. The commit's date decides, and extends where it is
   * later; what is stored for a session that comes to nothing is kept as long all the same.
   */
  readonly retainUntil?: number;
}

export interface DiskProgress {
  /** Bytes of the disk that are settled: read and stored, found unchanged, or a hole. */
  readonly doneBytes: number;
  readonly sizeBytes: number;
  readonly bytesRead: number;
  readonly bytesStoredNew: number;
}

export interface WriteDiskRequest {
  readonly sessionId: string;
  /** The caller's name for the disk, stable over its restore points, unique in the VM. */
  readonly diskKey: string;
  readonly sizeBytes: number;
  readonly source: BlockSource;
  /** The restore point that `changed` is relative to; it must be pinned by the session. */
  readonly base?: { readonly pointId: string; readonly diskKey: string };
  /** What may differ from the base. Absent: the whole disk is read. */
  readonly changed?: readonly ByteRange[];
  /** Where the unchanged rest of a touched chunk is read from; 'source' if absent. */
  readonly unchangedFrom?: 'source' | 'vault';
  /** About how many unchanged bytes are read again and compared, to find a change list that lied; 8 MiB if absent. */
  readonly sampleBytes?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DiskProgress) => void;
}

/** A meta pack and which groups of segments it speaks of. */
export interface ManifestPack {
  readonly id: string;
  readonly firstGroup: number;
  readonly lastGroup: number;
  /** Of the digests of its frames: 32 hex digits. Restore points of before don't say it. */
  readonly contents?: string;
}

/** One layer of a disk's manifest: the meta packs that hold it, in the order of their groups. */
export interface ManifestLayer {
  readonly kind: 'checkpoint' | 'delta';
  /** The disk's size when the layer was written. */
  readonly sizeBytes: number;
  /** Of its records, before they are compressed: what says which layers are to become one. */
  readonly bytes: number;
  readonly packs: readonly ManifestPack[];
}

/** How a disk of a restore point is found again. */
export interface DiskManifest {
  readonly diskKey: string;
  readonly sizeBytes: number;
  /** One checkpoint, then at most 32 deltas in the order they apply. */
  readonly layers: readonly ManifestLayer[];
}

/** What a written disk is committed with; survives JSON. Everything that it names is durable. */
export interface DiskResult {
  readonly diskKey: string;
  readonly manifest: DiskManifest;
  readonly sizeBytes: number;
  /** Read from the source in this call and those that it resumes, samples included. */
  readonly bytesRead: number;
  /** Of the change list, or the disk's size when it was read in full. */
  readonly bytesChanged: number;
  /** Added to the store for this disk: data packs, manifest and index. */
  readonly bytesStoredNew: number;
  readonly bytesSampled: number;
  /** Chunks cut from what was read, and how many of these were not in the vault yet. */
  readonly chunksRead: number;
  readonly chunksNew: number;
  /** The chunks that had been settled by an earlier call that was interrupted came from its journal. */
  readonly resumed: boolean;
  /** The change list was not used, and why: samples belied it, or the base's point or manifest can't be read. */
  readonly fellBackToFull?: 'CHANGE_LIST_LIED' | 'BASE_DAMAGED';
}

/** Small facts of the caller's about a restore point, stored encrypted: method, consistency, anchors of the next run. */
export type PointInfo = Readonly<Record<string, unknown>>;

export interface CommitPointRequest {
  readonly sessionId: string;
  readonly pointId: string;
  readonly vmId: string;
  /** When the source was as the point says, milliseconds since the epoch. */
  readonly takenAt: number;
  /** The point can't be deleted before, milliseconds since the epoch; absent: at any time. */
  readonly retainUntil?: number;
  readonly disks: readonly DiskResult[];
  /** The VM's configuration; opaque here, stored encrypted. */
  readonly config: Uint8Array;
  readonly info: PointInfo;
}

export interface PointDisk {
  readonly diskKey: string;
  readonly sizeBytes: number;
  readonly bytesStoredNew: number;
}

export interface PointSummary {
  readonly pointId: string;
  readonly vmId: string;
  readonly sessionId: string;
  readonly takenAt: number;
  readonly committedAt: number;
  /** As it was committed; `readCustody` says what stands now. */
  readonly retainUntil?: number;
  /** Until when the store keeps everything that the point needs, whoever asks to delete it; absent: the store can't. */
  readonly lockedUntil?: number;
  readonly disks: readonly PointDisk[];
  readonly info: PointInfo;
}

export interface Point {
  readonly summary: PointSummary;
  readonly config: Uint8Array;
  readonly disks: readonly DiskManifest[];
}

export interface ListPointsOptions {
  /** Told of points whose object is damaged. Absent: an error that names them ends the list, after all others. */
  readonly onDamaged?: (pointId: string, error: AppError) => void;
}

export interface ListSessionsOptions {
  /** Told of sessions whose object is damaged. Absent: the first one ends the list with an error. */
  readonly onDamaged?: (sessionId: string) => void;
}

export interface ReadDiskRequest {
  readonly pointId: string;
  readonly diskKey: string;
  /** Only these; absent: the whole disk. */
  readonly ranges?: readonly ByteRange[];
  readonly signal?: AbortSignal;
}

/** Consecutive pieces of what was asked for, in ascending order. */
export type DiskPiece =
  | { readonly offset: number; readonly length: number; readonly data: Uint8Array }
  | { readonly offset: number; readonly length: number; readonly data: null };

export interface RestoreProgress {
  /** Everything below this offset is in the sink: the cursor that an interrupted restore goes on `from`. */
  readonly settledBelow: number;
  readonly bytesWritten: number;
  readonly sizeBytes: number;
}

export interface RestoreDiskRequest {
  /** The session that pins the point: its lease is renewed for as long as this takes. */
  readonly sessionId?: string;
  readonly pointId: string;
  readonly diskKey: string;
  readonly sink: BlockSink;
  /** A `settledBelow` of an earlier call; 0 if absent. */
  readonly from?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RestoreProgress) => void;
}

export interface RestoreResult {
  readonly sizeBytes: number;
  readonly bytesWritten: number;
  readonly bytesHoles: number;
}

export interface RepositoryStats {
  /** Everything below the prefix: data, metadata, index, points, sessions. */
  readonly storedBytes: number;
  readonly dataPacks: number;
  readonly metaPacks: number;
  /** Those that can be read. */
  readonly points: number;
  /** Ids of those whose own object is damaged. */
  readonly damagedPoints: readonly string[];
}

export interface SessionSummary {
  readonly sessionId: string;
  readonly pointId: string;
  readonly purpose: SessionPurpose;
  readonly pins: readonly string[];
  readonly startedAt: number;
}

/** One tenant's encrypted, deduplicated store of disks. Every method may throw the codes of `Store`, and VAULT_CORRUPT. */
export interface Repository extends AsyncDisposable {
  readonly repositoryId: string;
  readonly parameters: ChunkingParameters;
  /**
   * Announces what a writer or reader is about to do. Again with the same content: nothing happens. BAD_INPUT if that
   * session was begun with another content, or pins its own point; NO_RESTORE_POINT if a pinned point isn't there;
   * SESSION_FENCED if its point id has a tombstone, or another session's point.
   */
  beginSession(request: SessionRequest): Promise<void>;
  /** Renews the session's lease while the work goes on, beside what its calls do; cancels it when that is not possible. */
  withSession<T>(sessionId: string, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /**
   * Stores a disk, whole or from its changes. Called again after an interruption it goes on from its journal. BAD_INPUT
   * if the size is none or the base isn't pinned; NO_RESTORE_POINT if the base, or that disk of it, isn't there;
   * SESSION_FENCED if the session is not open, or its point id is decided.
   */
  writeDisk(request: WriteDiskRequest): Promise<DiskResult>;
  /**
   * Makes the restore point exist. Again for the same session: the same answer. BAD_INPUT if the session did not announce
   * that point, or the disks are not what `writeDisk` returned; SESSION_FENCED if the session is not open, is from before
   * the last recovery or over seven days old, or a tombstone came first; VAULT_OBJECT_EXISTS if another session's point
   * did; VAULT_OBJECT_MISSING if something that it needs is gone.
   */
  commitPoint(request: CommitPointRequest): Promise<PointSummary>;
  /** Removes the session and its journal; fences it first if it announced a backup that was not committed. */
  endSession(sessionId: string): Promise<void>;
  /** Puts a tombstone at a point that does not exist yet. Whoever is first at that name decides, once. */
  fence(pointId: string): Promise<'fenced' | 'committed'>;
  listSessions(options?: ListSessionsOptions): AsyncIterable<SessionSummary>;
  listPoints(options?: ListPointsOptions): AsyncIterable<PointSummary>;
  /**
   * What `listPoints` passes over in silence: points whose custody says that nobody deleted them, and that are gone; and
   * what is as short as a tombstone and does not open.
   */
  listLostPoints(): AsyncIterable<LostPoint>;
  /** NO_RESTORE_POINT if there is none (or a tombstone). */
  readPoint(pointId: string): Promise<Point>;
  /**
   * From here on the point does not exist; `collect` brings its space back. Again: nothing happens. NO_RESTORE_POINT if
   * there never was one, POINT_RETAINED or POINT_HELD while it has to stay. `isLost`: also one whose object is gone, of
   * which custody is left, so that collection goes on; the date that it was committed with went with it. BAD_INPUT if
   * it is there and can be read.
   */
  deletePoint(pointId: string, how?: { readonly isLost?: boolean }): Promise<void>;
  /** Retention date and holds as they stand. NO_RESTORE_POINT if there is no such point. */
  readCustody(pointId: string): Promise<PointCustody>;
  /**
   * Keeps the point until that date too, milliseconds since the epoch; an earlier one than stands changes nothing.
   * NO_RESTORE_POINT as above, BAD_INPUT of what is no date.
   */
  extendRetention(pointId: string, until: number): Promise<void>;
  /** The point stays until the hold is released. The same hold again: nothing happens. NO_RESTORE_POINT as above. */
  placeHold(request: HoldRequest): Promise<void>;
  /** A hold, or a point, that isn't there: nothing happens. */
  releaseHold(pointId: string, holdId: string): Promise<void>;
  readDisk(request: ReadDiskRequest): AsyncIterable<DiskPiece>;
  restoreDisk(request: RestoreDiskRequest): Promise<RestoreResult>;
  /** Finds and names damage; damage is an answer, not an error. The caller pins what is verified, as for a restore. */
  verify(request: VerifyRequest): Promise<VerifyResult>;
  /**
   * Makes a restore point of another repository from one of this, storing there only what it lacks. The same request
   * again goes on from where it was interrupted. Both sessions are ended once the copy is there.
   */
  copyPoint(request: CopyPointRequest): Promise<CopyResult>;
  /** Brings the space of deleted points and dead writers back, as far as nobody may need it any more. */
  collect(request?: CollectRequest): Promise<CollectResult>;
  stats(): Promise<RepositoryStats>;
  /** What a control plane caches of the vault, from the store alone. Damaged objects are named, the rest is told. */
  readCatalog(): Promise<Catalog>;
  /** Makes anew what follows from the rest, and says what is lost. The caller pins nothing: nothing is taken away. */
  repair(request: RepairRequest): Promise<RepairResult>;
  /** Fences every session from before, for the recovery of a control plane; returns the new epoch. */
  raiseEpoch(): Promise<number>;
}

export interface CreateRepositoryOptions {
  readonly store: Store;
  readonly keyRing: KeyRing;
  readonly tenantId: string;
  readonly repositoryId: string;
  /** The vault is to be immutable: VAULT_NOT_IMMUTABLE unless the store shows that it keeps what is locked. */
  readonly immutable?: boolean;
  /** 64–128–1024 KiB chunks in 32 MiB segments and 64 MiB packs if absent. */
  readonly parameters?: ChunkingParameters;
}

/** A repository that may be open elsewhere. */
export interface BeginKeyGenerationOptions {
  readonly store: Store;
  readonly keyRing: KeyRing;
  readonly tenantId: string;
  readonly repositoryId: string;
}

export interface OpenRepositoryOptions {
  readonly store: Store;
  readonly keyRing: KeyRing;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly tenantId: string;
  readonly repositoryId: string;
  /**
   * Threads for cutting, hashing, compressing and sealing, at most: no more than `memoryBudgetBytes` has room for. One for
   * each of the machine’s cores if absent; with the default budget and parameters at most two.
   */
  readonly workers?: number;
  /** Upper bound for the buffers of all writes and restores together; 400 MiB if absent. */
  readonly memoryBudgetBytes?: number;
  /** How much of the chunk index may be in memory; absent: what suits every size of vault. */
  readonly indexLimits?: Partial<IndexLimits>;
}
