import { AppError } from '../../kernel/errors.ts';
import { packName } from '../format/names.ts';
import { readMetaTable } from '../manifest/read-meta-table.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { lockForPoint } from '../retention/lock-point.ts';
import { readEpoch } from '../sessions/epoch.ts';
import { MAX_SESSION_MS } from '../sessions/session-ages.ts';
import { BEGIN_ANEW, type Session } from '../sessions/session-store.ts';
import type { CommitPointRequest, PointSummary } from './point-types.ts';
import type { DiskResult } from '../write/write-types.ts';
import { nullIfDamaged } from '../verify/diagnose.ts';
import { checkFacts } from './check-facts.ts';
import { checkDisks } from './check-disks.ts';
import type { FoundPoint, PointStore } from './point-store.ts';

/** Puts the restore point, after a last look whether the session may and whether its manifests are there. */
export async function commitPoint(
  context: RepositoryContext,
  points: PointStore,
  session: Session,
  request: CommitPointRequest,
): Promise<PointSummary> {
  const { pointId, sessionId, vmId, takenAt, retainUntil, disks, config, info } = request;
  if (session.purpose !== 'backup' || session.pointId !== pointId) {
    throw new AppError('BAD_INPUT', `Session ${sessionId} did not announce restore point ${pointId}.`);
  }
  if ((await readEpoch(context.store, context.secrets)) !== session.epoch) {
    throw new AppError('SESSION_FENCED', `Session ${sessionId} began before the vault’s last recovery.`, {
      hint: BEGIN_ANEW,
    });
  }
  const now = context.clock.now();
  if (now - session.startedAt > MAX_SESSION_MS) {
    throw new AppError('SESSION_FENCED', `Session ${sessionId} began too long ago to commit: over seven days.`, {
      hint: BEGIN_ANEW,
    });
  }
  checkFacts(request);
  checkDisks(disks);
  await Promise.all(disks.map((disk) => requireManifest(context, disk)));
  const lockedUntil = await lock(context, points, session, request);
  const summary: PointSummary = {
    pointId,
    vmId,
    sessionId,
    takenAt,
    committedAt: now,
    ...(retainUntil === undefined ? {} : { retainUntil }),
    ...(lockedUntil === null ? {} : { lockedUntil }),
    disks: disks.map(({ diskKey, sizeBytes, bytesStoredNew }) => ({ diskKey, sizeBytes, bytesStoredNew })),
    info,
  };
  const stands = await points.put({ summary, config, disks: disks.map(({ manifest }) => manifest) });
  return stands.summary;
}

/** Before the point is there: what it promises to keep, the store must keep already. */
async function lock(
  context: RepositoryContext,
  points: PointStore,
  { pins }: Session,
  { retainUntil, disks }: CommitPointRequest,
): Promise<number | null> {
  if (retainUntil === undefined) {
    return null;
  }
  // Also points that were deleted meanwhile: they still say what is locked.
  const found = await Promise.all(pins.map((pin) => findPinned(points, pin)));
  const inherited = found.flatMap((object) => (object?.kind === 'point' ? [object.point] : []));
  return lockForPoint(context, { disks: disks.map(({ manifest }) => manifest), retainUntil, inherited });
}

/** A damaged one says nothing of what is locked: then everything is locked anew. */
async function findPinned(points: PointStore, pointId: string): Promise<FoundPoint | null> {
  return nullIfDamaged(points.findObject(pointId));
}

/** All packs are there, and those that this session wrote can be opened. */
async function requireManifest({ store, secrets }: RepositoryContext, { manifest }: DiskResult): Promise<void> {
  for (const { id } of manifest.layers.flatMap(({ packs }) => packs)) {
    if ((await store.head(packName('meta', id))) === null) {
      const message = `The manifest ${id} of disk ${manifest.diskKey} is not in the vault.`;
      const hint = 'Write the disk again; what the vault has of it is not stored again.';
      throw new AppError('VAULT_OBJECT_MISSING', message, { hint });
    }
  }
  for (const pack of manifest.layers.at(-1)?.packs ?? []) {
    await readMetaTable(store, pack, secrets);
  }
}
