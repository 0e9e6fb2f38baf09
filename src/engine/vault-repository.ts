import { AppError } from '../kernel/errors.ts';
import { collect } from './collect/collect.ts';
import type { CollectRequest, CollectResult } from './collect/collect-types.ts';
import { copyPoint } from './copy/copy-point.ts';
import type { CopyPointRequest, CopyResult } from './copy/copy-types.ts';
import { pointName } from './format/names.ts';
import { commitPoint } from './points/commit-point.ts';
import type { HoldRequest, PointCustody } from './points/custody-types.ts';
import { deletePoint, extendRetention, placeHold, readCustody, releaseHold } from './points/delete-point.ts';
import { listPoints } from './points/list-points.ts';
import { lostPoints, type LostPoint } from './points/lost-points.ts';
import { PointStore } from './points/point-store.ts';
import { readStats } from './points/read-stats.ts';
import type { RepositoryContext } from './repository-context.ts';
import type { Catalog } from './repair/catalog-types.ts';
import { readCatalog } from './repair/read-catalog.ts';
import { repair } from './repair/repair.ts';
import type { RepairRequest, RepairResult } from './repair/repair-types.ts';
import { readDisk } from './restore/read-disk.ts';
import { extendLock } from './retention/extend-lock.ts';
import { lockHeld } from './retention/hold-locks.ts';
import { lockPacksUntil } from './retention/locking-store.ts';
import { restoreDisk } from './restore/restore-disk.ts';
import { raiseEpoch, readEpoch, readEpochToRead } from './sessions/epoch.ts';
import { isWriter, SessionStore } from './sessions/session-store.ts';
import { withLease, withReaderLease } from './sessions/with-lease.ts';
import type { ChunkingParameters } from './repository-options.ts';
import type {
  CommitPointRequest,
  ListPointsOptions,
  Point,
  PointSummary,
  RepositoryStats,
} from './points/point-types.ts';
import type { DiskManifest } from './manifest/manifest-types.ts';
import type { DiskPiece, ReadDiskRequest, RestoreDiskRequest, RestoreResult } from './restore/restore-types.ts';
import type { DiskResult, WriteDiskRequest } from './write/write-types.ts';
import type { ListSessionsOptions, SessionRequest, SessionSummary } from './sessions/session-types.ts';
import type { Repository } from './repository.ts';
import { isDamage } from './verify/diagnose.ts';
import { verify } from './verify/verify.ts';
import type { VerifyRequest, VerifyResult } from './verify/verify-types.ts';
import { writeDisk } from './write/write-disk.ts';
import { expectDisk, stopYoungGeneration } from './young-generation.ts';

/** The repository of an open vault: each operation is a module of its own, this is where they meet. */
export class VaultRepository implements Repository {
  readonly repositoryId: string;
  readonly parameters: ChunkingParameters;
  readonly #context: RepositoryContext;
  readonly #points: PointStore;
  readonly #sessions: SessionStore;

  constructor(context: RepositoryContext) {
    this.repositoryId = context.repositoryId;
    this.parameters = context.parameters;
    this.#context = context;
    this.#points = new PointStore(context.store, context.secrets, context.clock);
    this.#sessions = new SessionStore(context.store, context.secrets);
  }

  async beginSession(request: SessionRequest): Promise<void> {
    const { store, secrets, generations, clock, leases, lanes, condemned } = this.#context;
    const { sessionId, pointId, purpose, pins } = request;
    if (purpose === 'backup') {
      // Its thread starts while the session becomes durable.
      lanes.warmUp(1);
    }
    await generations.refresh();
    await leases.beat({ repositoryId: this.repositoryId, sessionId });
    const epoch = await (purpose === 'backup' ? readEpoch : readEpochToRead)(store, secrets);
    await this.#sessions.put(request, clock.now(), epoch);
    await store.flush();
    await this.#requireUndecided(request);
    for (const pin of pins) {
      if (pin === pointId) {
        throw new AppError('BAD_INPUT', `Session ${sessionId} pins the restore point that it is to make.`);
      }
      await this.#requirePin(pin, purpose);
    }
    await (purpose === 'backup' ? condemned.refresh() : condemned.refreshToRead());
  }

  withSession<T>(sessionId: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return withReaderLease(this.#context, { sessionId }, work);
  }

  async writeDisk(request: WriteDiskRequest): Promise<DiskResult> {
    expectDisk(request.sizeBytes);
    const session = await this.#sessions.get(request.sessionId);
    await this.#requireUndecided(session);
    // It may have begun in another process. After its object is durable, before the first chunk is looked up.
    await this.#context.condemned.refresh();
    return writeDisk(lockPacksUntil(this.#context, session.retainUntil), this.#points, session, request);
  }

  async commitPoint(request: CommitPointRequest): Promise<PointSummary> {
    const found = await this.#points.find(request.pointId);
    if (found !== null && found !== 'tombstone' && found.summary.sessionId === request.sessionId) {
      // Whoever put it may have died before its name was durable.
      await this.#context.store.head(pointName(request.pointId));
      await this.#context.store.flush();
      return found.summary;
    }
    const session = await this.#sessions.get(request.sessionId);
    const commit = (): Promise<PointSummary> => commitPoint(this.#context, this.#points, session, request);
    // Locking may take long. Without a lease it goes on too: a tombstone decides.
    return await withLease(this.#context, request.sessionId, ignore, commit);
  }

  async endSession(sessionId: string): Promise<void> {
    const session = await this.#sessions.find(sessionId);
    if (session !== null && isWriter(session)) {
      await this.#points.fence(session.pointId);
    }
    await this.#sessions.remove(sessionId);
    await this.#context.leases.release({ repositoryId: this.repositoryId, sessionId });
  }

  fence(pointId: string): Promise<'fenced' | 'committed'> {
    return this.#points.fence(pointId);
  }

  async *listSessions({ onDamaged }: ListSessionsOptions = {}): AsyncIterable<SessionSummary> {
    yield* this.#sessions.list(onDamaged);
  }

  async *listPoints(options?: ListPointsOptions): AsyncIterable<PointSummary> {
    yield* listPoints(this.#points, options);
  }

  async *listLostPoints(): AsyncIterable<LostPoint> {
    yield* lostPoints(this.#points, await this.#points.listed());
  }

  readPoint(pointId: string): Promise<Point> {
    return this.#points.get(pointId);
  }

  deletePoint(pointId: string, { isLost = false }: { readonly isLost?: boolean } = {}): Promise<void> {
    return deletePoint(this.#points, pointId, { now: this.#context.clock.now(), isLost });
  }

  readCustody(pointId: string): Promise<PointCustody> {
    return readCustody(this.#points, pointId);
  }

  async extendRetention(pointId: string, until: number): Promise<void> {
    await extendLock(this.#context, this.#points, pointId, until);
    await extendRetention(this.#points, pointId, until, this.#context.clock.now());
  }

  async placeHold(request: HoldRequest): Promise<void> {
    await lockHeld(this.#context, this.#points, request.pointId);
    await placeHold(this.#points, request, this.#context.clock.now());
  }

  releaseHold(pointId: string, holdId: string): Promise<void> {
    return releaseHold(this.#points, pointId, holdId, this.#context.clock.now());
  }

  async *readDisk(request: ReadDiskRequest): AsyncIterable<DiskPiece> {
    yield* readDisk(this.#context, await this.#findDisk(request), request);
  }

  async restoreDisk(request: RestoreDiskRequest): Promise<RestoreResult> {
    return withReaderLease(this.#context, request, async (signal) =>
      restoreDisk(this.#context, await this.#findDisk(request), { ...request, signal }),
    );
  }

  verify(request: VerifyRequest): Promise<VerifyResult> {
    stopYoungGeneration();
    return withReaderLease(this.#context, request, (signal) =>
      verify(this.#context, this.#points, { ...request, signal }),
    );
  }

  copyPoint(request: CopyPointRequest): Promise<CopyResult> {
    stopYoungGeneration();
    return copyPoint(this.#context, this, request);
  }

  collect(request: CollectRequest = {}): Promise<CollectResult> {
    stopYoungGeneration();
    return collect(this.#context, this.#points, request);
  }

  stats(): Promise<RepositoryStats> {
    return readStats(this.#context.store, this.#points);
  }

  readCatalog(): Promise<Catalog> {
    return readCatalog(this.#context, this.#points);
  }

  repair(request: RepairRequest): Promise<RepairResult> {
    stopYoungGeneration();
    return repair(this.#context, this.#points, request);
  }

  raiseEpoch(): Promise<number> {
    return raiseEpoch(this.#context.store, this.#context.secrets);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.lanes.stop();
  }

  async #findDisk({ pointId, diskKey }: { pointId: string; diskKey: string }): Promise<DiskManifest> {
    await this.#context.condemned.refreshToRead();
    const disk = (await this.#points.get(pointId)).disks.find((candidate) => candidate.diskKey === diskKey);
    if (disk === undefined) {
      throw new AppError('NO_RESTORE_POINT', `Restore point ${pointId} has no disk ${diskKey}.`);
    }
    expectDisk(disk.sizeBytes);
    return disk;
  }

  /** A backup or copy whose base is damaged is made all the same, in full. */
  async #requirePin(pointId: string, purpose: SessionRequest['purpose']): Promise<void> {
    try {
      await this.#points.get(pointId);
    } catch (error) {
      const isBase = purpose === 'backup' || purpose === 'copy';
      if (!isBase || !isDamage(error)) {
        throw error;
      }
    }
  }

  /** A tombstone ends a writer; so does a point of another session. */
  async #requireUndecided({ sessionId, pointId }: SessionRequest): Promise<void> {
    const found = await this.#points.find(pointId);
    if (found === 'tombstone' || (found !== null && found.summary.sessionId !== sessionId)) {
      throw new AppError('SESSION_FENCED', `Restore point ${pointId} of session ${sessionId} is already decided.`);
    }
  }
}

function ignore(): void {}
