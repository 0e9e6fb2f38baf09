import { throwIfAborted } from '../../kernel/abort.ts';
import type { ObjectId } from '../format/ids.ts';
import type { PointStore } from '../points/point-store.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { endOfWindow } from '../retention/retention-window.ts';
import type { DiskManifest, ManifestLayer, ManifestPack } from '../manifest/manifest-types.ts';
import { isDamage } from '../verify/diagnose.ts';
import type { SurveyedPoint } from '../verify/survey-points.ts';

/** As much of a restore point as says whose its manifests are. */
export interface KnownPoint extends SurveyedPoint {
  readonly sessionId: string;
  readonly lockedUntil: number;
}

/** Where a restore point names a meta pack. */
export interface NamedAt {
  readonly point: KnownPoint;
  readonly disk: DiskManifest;
  /** Which of the disk's layers. */
  readonly at: number;
  readonly layer: ManifestLayer;
  readonly pack: ManifestPack;
}

/** All that open. Of the others whoever verifies tells. */
export async function findKnownPoints(points: PointStore, signal: AbortSignal): Promise<KnownPoint[]> {
  const known: KnownPoint[] = [];
  for await (const { summary, disks } of points.list(ignore)) {
    throwIfAborted(signal);
    const { pointId, vmId, takenAt, sessionId, lockedUntil = 0 } = summary;
    known.push({ pointId, vmId, takenAt, sessionId, lockedUntil, disks });
  }
  return known;
}

export function findPlaces(points: readonly KnownPoint[], id: ObjectId): NamedAt[] {
  return points.flatMap((point) =>
    point.disks.flatMap((disk) =>
      disk.layers.flatMap((layer, at) =>
        layer.packs.filter((pack) => pack.id === id).map((pack) => ({ point, disk, at, layer, pack })),
      ),
    ),
  );
}

/** Until when the points have promised to keep what they need; undefined where the store can't lock. */
export async function promisedUntil(
  { store }: RepositoryContext,
  points: PointStore,
  needing: readonly KnownPoint[],
): Promise<number | undefined> {
  if (store.retention === undefined) {
    return undefined;
  }
  const dates = await Promise.all(needing.map((point) => dateOf(points, point)));
  const latest = Math.max(0, ...dates);
  return latest === 0 ? undefined : latest;
}

async function dateOf(points: PointStore, { pointId, lockedUntil }: KnownPoint): Promise<number> {
  try {
    return Math.max(lockedUntil, endOfWindow((await points.custody.read(pointId)).retainUntil));
  } catch (error) {
    if (isDamage(error)) {
      return lockedUntil;
    }
    throw error;
  }
}

function ignore(): void {}
