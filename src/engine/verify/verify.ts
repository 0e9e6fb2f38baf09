import { throwIfAborted } from '../../kernel/abort.ts';
import type { ObjectId } from '../format/ids.ts';
import { packName } from '../format/names.ts';
import type { PointStore } from '../points/point-store.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { checkPacks } from './check-packs.ts';
import { PackQueue } from './pack-queue.ts';
import { surveyIndex } from './survey-index.ts';
import { surveyManifests } from './survey-manifests.ts';
import { surveyPoints, type PointSurvey, type SurveyedPoint } from './survey-points.ts';
import { tracePoint } from './trace-damage.ts';
import type { DamagedObject, DamagedPoint, VerifyProgress, VerifyRequest, VerifyResult } from './verify-types.ts';

/**
 * Reads what points need, finds damaged objects, then follows them to ranges of disks. Memory is bounded by the count
 * of packs and damaged frames, whatever the disks' size; manifests are read once more where something is damaged.
 */
export async function verify(
  context: RepositoryContext,
  points: PointStore,
  request: VerifyRequest,
): Promise<VerifyResult> {
  const signal = request.signal ?? new AbortController().signal;
  throwIfAborted(signal);
  const survey = await surveyPoints(points, request);
  const say = (phase: VerifyProgress['phase'], done: number, total: number, bytes: readonly [number, number]): void =>
    request.onProgress?.({ phase, done, total, bytesRead: bytes[0], bytesTotal: bytes[1] });
  const manifests = await surveyManifests(context, survey.points, {
    level: request.level,
    signal,
    onRead: (done, total) => say('manifests', done, total, [0, 0]),
  });
  const index = await surveyIndex(context, signal);
  const queue = new PackQueue(manifests.packs, request, () => context.clock.now());
  const bytesTotal = request.level === 0 ? 0 : await sumSizes(context, queue.waiting, signal);
  await checkPacks(context, {
    level: request.level,
    signal,
    next: () => queue.next(),
    done: (outcome) => {
      queue.done(outcome);
      say('packs', queue.checked, queue.total, [queue.bytesRead, bytesTotal]);
    },
  });
  const objects = [...manifests.damaged, ...queue.damaged.values()];
  const unindexed = findUnindexed(manifests.packs, queue.damaged, index.packs);
  const traced: DamagedPoint[] = [];
  if (objects.length > 0 || request.level === 2) {
    for (const [i, point] of survey.points.entries()) {
      const options = { packs: queue.damaged, checkEntries: request.level === 2, signal };
      const damage = await tracePoint(context, point, options);
      traced.push(...(damage === null ? [] : [damage]));
      say('ranges', i + 1, survey.points.length, [queue.bytesRead, bytesTotal]);
    }
  }
  const damagedPoints = [...lostPoints(survey), ...(await stillThere(points, traced))];
  const damaged = new Set(damagedPoints.map(({ pointId }) => pointId));
  return {
    level: request.level,
    complete: queue.isComplete,
    packsChecked: queue.checked,
    packsLeft: queue.left,
    bytesRead: queue.bytesRead + manifests.bytesRead,
    damagedObjects: [
      ...survey.damaged.values(),
      ...withoutLeftovers(objects, damagedPoints),
      ...index.damaged,
      ...unindexed,
    ],
    damagedPoints,
    intactPoints: survey.points.map(({ pointId }: SurveyedPoint) => pointId).filter((id) => !damaged.has(id)),
    state: queue.state,
  };
}

/** One listing instead of a question for each pack. */
async function sumSizes({ store }: RepositoryContext, ids: readonly ObjectId[], signal: AbortSignal): Promise<number> {
  const wanted = new Set(ids.map((id) => packName('data', id)));
  let sum = 0;
  for await (const { name, sizeBytes } of store.list('data/')) {
    throwIfAborted(signal);
    sum += wanted.has(name) ? sizeBytes : 0;
  }
  return sum;
}

function findUnindexed(
  packs: ReadonlySet<ObjectId>,
  damaged: ReadonlyMap<ObjectId, DamagedObject>,
  indexed: ReadonlySet<ObjectId>,
): DamagedObject[] {
  return [...packs]
    .filter((id) => !indexed.has(id) && !damaged.has(id))
    .map((id) => {
      const name = packName('data', id);
      return { name, problem: 'not-indexed', message: `${name} is in no index segment.`, lostFrames: [] };
    });
}

function lostPoints({ damaged }: PointSurvey): DamagedPoint[] {
  return Array.from(damaged, ([pointId, { name }]) => ({
    pointId,
    vmId: null,
    takenAt: null,
    disks: [],
    objects: [name],
  }));
}

/** Without points that were deleted meanwhile: collection may have taken what they needed. */
async function stillThere(points: PointStore, traced: readonly DamagedPoint[]): Promise<DamagedPoint[]> {
  const there: DamagedPoint[] = [];
  for (const point of traced) {
    const found = await points.find(point.pointId);
    if (found !== null && found !== 'tombstone') {
      there.push(point);
    }
  }
  return there;
}

/** A pack that is gone and that no point needs any more was collected; a layer's older entries may still name it. */
function withoutLeftovers(objects: readonly DamagedObject[], points: readonly DamagedPoint[]): DamagedObject[] {
  const needed = new Set(points.flatMap((point) => point.objects));
  return objects.filter(({ name, problem }) => problem !== 'missing' || needed.has(name));
}
