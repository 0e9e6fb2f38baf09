import type { CollectRequest, CollectResult } from './collect/collect-types.ts';
import type { CopyPointRequest, CopyResult } from './copy/copy-types.ts';
import type { HoldRequest, PointCustody } from './points/custody-types.ts';
import type { LostPoint } from './points/lost-points.ts';
import type {
  CommitPointRequest,
  ListPointsOptions,
  Point,
  PointSummary,
  RepositoryStats,
} from './points/point-types.ts';
import type { Catalog } from './repair/catalog-types.ts';
import type { RepairRequest, RepairResult } from './repair/repair-types.ts';
import type { ChunkingParameters } from './repository-options.ts';
import type { DiskPiece, ReadDiskRequest, RestoreDiskRequest, RestoreResult } from './restore/restore-types.ts';
import type { ListSessionsOptions, SessionRequest, SessionSummary } from './sessions/session-types.ts';
import type { VerifyRequest, VerifyResult } from './verify/verify-types.ts';
import type { DiskResult, WriteDiskRequest } from './write/write-types.ts';

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
