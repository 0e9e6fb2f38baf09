import { throwIfAborted } from '../../kernel/abort.ts';
import { AppError, isAppError } from '../../kernel/errors.ts';
import { ManifestReader } from '../manifest/manifest-reader.ts';
import { geometryOf, type RepositoryContext } from '../repository-context.ts';
import { withReaderLease, type LeaseRequest } from '../sessions/with-lease.ts';
import type { DiskManifest } from '../manifest/manifest-types.ts';
import type { DiskResult } from '../write/write-types.ts';
import type { Point } from '../points/point-types.ts';
import type { Repository } from '../repository.ts';
import { nullIfDamaged } from '../verify/diagnose.ts';
import { changedRanges, type ManifestToCompare } from './changed-ranges.ts';
import type { CopyPointRequest, CopyResult } from './copy-types.ts';
import { PointDiskSource } from './point-disk-source.ts';
import { infoOfCopy, provenanceOf } from './provenance.ts';

interface Copy {
  readonly context: RepositoryContext;
  readonly from: Repository;
  readonly request: CopyPointRequest;
  readonly signal: AbortSignal;
}

/**
 * Makes a restore point of another repository from one of this. The other side cuts, deduplicates and seals for itself:
 * what it has, by its own digests, is not stored again.
 */
export async function copyPoint(
  context: RepositoryContext,
  from: Repository,
  request: CopyPointRequest,
): Promise<CopyResult> {
  const { pointId, copyId, sessionId, to, base, retainUntil } = request;
  if (to.repositoryId === from.repositoryId) {
    throw new AppError('BAD_INPUT', 'A restore point is copied to another repository, not to its own.');
  }
  // Both sides: between two disks, and while manifests are compared, nothing else says that this is alive.
  const both: LeaseRequest = { sessionId, signal: request.signal };
  return withReaderLease(context, both, (here) =>
    to.withSession(sessionId, async (there) => {
      const copy: Copy = { context, from, request, signal: AbortSignal.any([here, there]) };
      const made = await findMade(copy);
      if (made !== null) {
        return await end(copy, made);
      }
      const pins = base === undefined ? [pointId] : [pointId, base.pointId];
      await from.beginSession({ sessionId, pointId: copyId, purpose: 'copy', pins });
      const copiedPins = base === undefined ? [] : [base.copyId];
      const known = retainUntil === undefined ? {} : { retainUntil };
      await to.beginSession({ sessionId, pointId: copyId, purpose: 'backup', pins: copiedPins, ...known });
      return await end(copy, await make(copy));
    }),
  );
}

/** What an earlier call made that was interrupted before it could say so. */
async function findMade({ from, request }: Copy): Promise<CopyResult | null> {
  const { to, copyId, pointId, sessionId } = request;
  try {
    const { summary } = await to.readPoint(copyId);
    const origin = provenanceOf(summary.info);
    if (summary.sessionId !== sessionId || origin?.pointId !== pointId || origin.repositoryId !== from.repositoryId) {
      throw new AppError('VAULT_OBJECT_EXISTS', `Restore point ${copyId} is there, and is no copy of ${pointId}.`);
    }
    const bytesStoredNew = summary.disks.reduce((sum, disk) => sum + disk.bytesStoredNew, 0);
    return { summary, bytesRead: 0, bytesStoredNew };
  } catch (error) {
    if (isAppError(error, 'NO_RESTORE_POINT')) {
      return null;
    }
    throw error;
  }
}

/** The other side's first: while there is something to go on from, its source stays pinned. */
async function end({ from, request }: Copy, result: CopyResult): Promise<CopyResult> {
  await request.to.endSession(request.sessionId);
  await from.endSession(request.sessionId);
  return result;
}

async function make(copy: Copy): Promise<CopyResult> {
  const { from, request, signal } = copy;
  const { to, copyId, sessionId, pointId, retainUntil } = request;
  const point = await from.readPoint(pointId);
  const base = await findBase(copy);
  const disks: DiskResult[] = [];
  for (const disk of point.disks) {
    throwIfAborted(signal);
    disks.push(await copyDisk(copy, disk, base?.disks.find(({ diskKey }) => diskKey === disk.diskKey) ?? null));
  }
  const { vmId, takenAt } = point.summary;
  const summary = await to.commitPoint({
    sessionId,
    pointId: copyId,
    vmId,
    takenAt,
    disks,
    config: point.config,
    info: infoOfCopy(from.repositoryId, point.summary),
    ...(retainUntil === undefined ? {} : { retainUntil }),
  });
  const sum = (of: (disk: DiskResult) => number): number => disks.reduce((total, disk) => total + of(disk), 0);
  return { summary, bytesRead: sum(({ bytesRead }) => bytesRead), bytesStoredNew: sum((disk) => disk.bytesStoredNew) };
}

/** A base whose copy is another's would make a copy that is neither. Null also of one that is damaged on either side. */
async function findBase({ from, request: { base, to } }: Copy): Promise<Point | null> {
  if (base === undefined) {
    return null;
  }
  const copied = await nullIfDamaged(to.readPoint(base.copyId));
  const origin = copied === null ? null : provenanceOf(copied.summary.info);
  if (copied !== null && (origin?.pointId !== base.pointId || origin.repositoryId !== from.repositoryId)) {
    throw new AppError('BAD_INPUT', `Restore point ${base.copyId} is no copy of ${base.pointId}.`);
  }
  return copied === null ? null : await nullIfDamaged(from.readPoint(base.pointId));
}

async function copyDisk(copy: Copy, disk: DiskManifest, base: DiskManifest | null): Promise<DiskResult> {
  const { context, request, signal } = copy;
  const { diskKey, sizeBytes } = disk;
  const now = toCompare(context, disk);
  const { base: baseIds, sampleBytes, onProgress } = request;
  // If it is this point's own manifest that is damaged, the copy will fail at that.
  const changed = base === null ? null : await nullIfDamaged(changedRanges(toCompare(context, base), now));
  const isIncremental = changed !== null && baseIds !== undefined;
  return request.to.writeDisk({
    sessionId: request.sessionId,
    diskKey,
    sizeBytes,
    source: new PointDiskSource(now.reader, context.chunks),
    unchangedFrom: 'source',
    signal,
    ...(isIncremental ? { base: { pointId: baseIds.copyId, diskKey }, changed } : {}),
    ...(sampleBytes === undefined ? {} : { sampleBytes }),
    ...(onProgress === undefined ? {} : { onProgress: (progress) => onProgress({ diskKey, ...progress }) }),
  });
}

function toCompare(context: RepositoryContext, manifest: DiskManifest): ManifestToCompare {
  const reader = new ManifestReader(context.store, context.secrets, manifest, (size) => geometryOf(context, size));
  return { manifest, reader };
}
