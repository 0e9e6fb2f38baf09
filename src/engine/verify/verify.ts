import { throwIfAborted } from '../../kernel/abort.ts';
import { listPacks } from '../collect/list-packs.ts';
import type { ObjectId } from '../format/ids.ts';
import { packName } from '../format/names.ts';
import type { PointStore } from '../points/point-store.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { ChunkReader } from '../restore/chunk-reader.ts';
import { PackTables } from '../restore/pack-tables.ts';
import type { ManifestPack } from '../manifest/manifest-types.ts';
import { checkPacks } from './check-packs.ts';
import { condemnDamaged } from './condemn-damaged.ts';
import { PackQueue, type PresentPacks } from './pack-queue.ts';
import { isFrameLost } from './resolve-chunk.ts';
import { surveyIndex, type IndexSurvey } from './survey-index.ts';
import { surveyLogs } from './survey-logs.ts';
import { surveyManifests, type ManifestSurvey } from './survey-manifests.ts';
import { surveyMoved } from './survey-moved.ts';
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
  throwIfAborted(request.signal);
  const survey = await surveyPoints(points, request);
  const logs = await surveyLogs(context);
  // One listing instead of a question for each pack.
  const present = await listPacks(context.store, 'data', request.signal ?? new AbortController().signal);
  const result = await new Verification(context, points, request, { survey, present }).run();
  return { ...result, damagedObjects: [...result.damagedObjects, ...logs] };
}

class Verification {
  readonly #context: RepositoryContext;
  readonly #points: PointStore;
  readonly #request: VerifyRequest;
  readonly #signal: AbortSignal;
  readonly #survey: PointSurvey;
  readonly #present: PresentPacks;
  readonly #queue: PackQueue;
  /** Remembers nothing from before: what it finds is in the store now. */
  readonly #chunks: ChunkReader;
  readonly #condemned: ObjectId[] = [];

  constructor(
    context: RepositoryContext,
    points: PointStore,
    request: VerifyRequest,
    { survey, present }: { readonly survey: PointSurvey; readonly present: PresentPacks },
  ) {
    const { store, secrets, condemned, index, clock } = context;
    this.#context = context;
    this.#points = points;
    this.#request = request;
    this.#signal = request.signal ?? new AbortController().signal;
    this.#survey = survey;
    this.#present = present;
    this.#queue = new PackQueue(present, request, () => clock.now());
    this.#chunks = new ChunkReader(store, secrets, new PackTables(store, secrets, condemned), condemned, index);
  }

  async run(): Promise<VerifyResult> {
    const { level } = this.#request;
    if (level > 0) {
      this.#context.lanes.warmUp();
    }
    const manifests = await surveyManifests(this.#context, this.#survey.points, {
      level,
      signal: this.#signal,
      onRead: (done, total) => this.#say('manifests', done, total),
    });
    const index = await surveyIndex(this.#context, this.#signal);
    await this.#checkAll(manifests);
    const objects = [...manifests.damaged, ...this.#queue.damaged.values()];
    const traced = objects.length > 0 || level === 2 ? await this.#trace() : [];
    const damagedPoints = [...lostPoints(this.#survey), ...(await stillThere(this.#points, traced))];
    // A pack that is gone may have been collected because nobody needs it: only the trace tells.
    const needed = new Set(damagedPoints.flatMap((point) => point.objects));
    await this.#condemn((id) => needed.has(packName('data', id)));
    const damaged = new Set(damagedPoints.map(({ pointId }) => pointId));
    return {
      level,
      complete: this.#queue.isComplete,
      packsChecked: this.#queue.checked,
      packsLeft: this.#queue.left,
      bytesRead: this.#queue.bytesRead + manifests.bytesRead,
      damagedObjects: [
        ...this.#survey.damaged.values(),
        ...objects.filter(({ name, problem }) => problem !== 'missing' || needed.has(name)),
        ...index.damaged,
        ...this.#findUnindexed(manifests, index),
      ],
      condemnedPacks: this.#condemned.map((id) => packName('data', id)),
      damagedPoints,
      intactPoints: this.#survey.points.map(({ pointId }: SurveyedPoint) => pointId).filter((id) => !damaged.has(id)),
      state: this.#queue.state,
    };
  }

  /**
   * Checks the packs that manifests name and those where moved chunks are; and where something is damaged, those that
   * hold it too, as often as that leads to further packs.
   */
  async #checkAll({ named }: ManifestSurvey): Promise<void> {
    const all = new Set([...named.values()].flat());
    this.#queue.add([...all].filter((pack) => !this.#isMoved(pack)));
    let followed: ReadonlySet<ObjectId> = new Set();
    for (let first = true; ; first = false) {
      const moved = new Set([...all].filter((pack) => this.#isMoved(pack) && !followed.has(pack)));
      if (moved.size === 0 && !first) {
        return;
      }
      const leads = ({ id }: ManifestPack): boolean => named.get(id)?.some((pack) => moved.has(pack)) ?? false;
      const disks = this.#survey.points
        .flatMap((point) => point.disks)
        .filter(({ layers }) => layers.some(({ packs }) => packs.some(leads)));
      const how = {
        isMoved: (pack: ObjectId): boolean => moved.has(pack),
        isLost: (pack: ObjectId, frame: number): boolean => isFrameLost(this.#queue.damaged.get(pack), frame),
        signal: this.#signal,
      };
      this.#queue.add(await surveyMoved(this.#context, this.#chunks, disks, how));
      const before = new Set(this.#queue.damaged.keys());
      await this.#checkWaiting();
      await this.#condemn((id) => this.#present.has(id));
      // Where no manifest names it, chunks were led there from elsewhere: all of them are to be looked for again.
      const misled = [...this.#queue.damaged.keys()].some((id) => !before.has(id) && !all.has(id));
      followed = misled ? new Set() : new Set([...followed, ...moved]);
    }
  }

  async #condemn(which: (pack: ObjectId) => boolean): Promise<void> {
    if (this.#request.condemn === true) {
      const damaged = [...this.#queue.damaged].filter(([id]) => which(id));
      this.#condemned.push(...(await condemnDamaged(this.#context.condemned, damaged)));
    }
  }

  async #checkWaiting(): Promise<void> {
    const queue = this.#queue;
    await checkPacks(this.#context, {
      level: this.#request.level,
      signal: this.#signal,
      next: () => queue.next(),
      done: (outcome) => {
        queue.done(outcome);
        if (outcome.damage !== null) {
          this.#chunks.forget(outcome.id);
        }
        this.#say('packs', queue.checked, queue.total);
      },
    });
  }

  async #trace(): Promise<DamagedPoint[]> {
    const { points } = this.#survey;
    const traced: DamagedPoint[] = [];
    for (const [i, point] of points.entries()) {
      const damage = await tracePoint(this.#context, point, {
        chunks: this.#chunks,
        packs: this.#queue.damaged,
        isGone: (pack) => !this.#present.has(pack),
        checkEntries: this.#request.level === 2,
        signal: this.#signal,
      });
      traced.push(...(damage === null ? [] : [damage]));
      this.#say('ranges', i + 1, points.length);
    }
    return traced;
  }

  /** Chunks that are named in it are looked for by their digests, as a reader does. */
  #isMoved(pack: ObjectId): boolean {
    const { lostFrames = [] } = this.#queue.damaged.get(pack) ?? {};
    return this.#context.condemned.has(pack) || !this.#present.has(pack) || lostFrames.length > 0;
  }

  #findUnindexed({ named }: ManifestSurvey, index: IndexSurvey): DamagedObject[] {
    return [...new Set([...named.values()].flat())]
      .filter((id) => !this.#isMoved(id) && !index.packs.has(id) && !this.#queue.damaged.has(id))
      .map((id) => {
        const name = packName('data', id);
        return { name, problem: 'not-indexed', message: `${name} is in no index segment.`, lostFrames: [] };
      });
  }

  #say(phase: VerifyProgress['phase'], done: number, total: number): void {
    const { bytesRead, bytesTotal } = this.#queue;
    this.#request.onProgress?.({ phase, done, total, bytesRead, bytesTotal });
  }
}

/** With damaged custody a point is there all the same. */
function lostPoints({ points, damaged }: PointSurvey): DamagedPoint[] {
  const there = new Set(points.map(({ pointId }) => pointId));
  const lost = [...damaged].filter(([pointId]) => !there.has(pointId));
  return lost.map(([pointId, { name }]) => ({
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
