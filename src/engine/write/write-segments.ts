import { throwIfAborted } from '../../kernel/abort.ts';
import type { ObjectId } from '../format/ids.ts';
import type { SegmentRun } from '../manifest/segment-record.ts';
import type { LanePool } from '../worker/lane-pool.ts';
import type { Lane } from '../worker/lane.ts';
import type { SegmentDone, SegmentTask } from '../worker/protocol.ts';
import { lanesWorth } from './lanes-worth.ts';
import { loadMore, loadSegment, type LoadedSegment } from './load-segment.ts';
import type { SegmentSource } from './segment-source.ts';
import type { TableState, WriteJob } from './write-job.ts';
import type { WritePlan } from './write-plan.ts';

export interface SegmentWork {
  readonly plan: WritePlan;
  /** Those that are left, ascending. */
  readonly segments: readonly number[];
  readonly job: WriteJob;
  readonly source: SegmentSource;
  readonly lanes: LanePool;
  readonly signal: AbortSignal;
  /** Ends the whole write. */
  readonly fail: (error: unknown) => void;
  /** Bytes of the disk that became settled. */
  readonly onSettled: (bytes: number) => void;
}

interface LaneRun {
  /** The next segment, loaded into the slot; null when there is nothing left for this lane. */
  load(lane: Lane, slot: number): Promise<LoadedSegment | null>;
  settled(): void;
}

/** Works off all segments that the job has not settled, on as many lanes as are to be had. */
export async function writeSegments(work: SegmentWork): Promise<void> {
  const { lanes, plan, source, signal } = work;
  const queue = work.segments.toReversed();
  if (queue.length === 0) {
    return;
  }
  const running = new Set<Promise<void>>();
  // Lanes that have not decided to end; those that have may still run for a while.
  let staying = 0;
  const start = (lane: Lane): void => {
    staying += 1;
    const run = runLane(lane, work, { load, settled: grow }).finally(() => running.delete(run));
    running.add(run);
  };
  const grow = (): void => {
    while (queue.length > 0 && !lanes.wanted && !signal.aborted) {
      const lane = lanes.tryAcquire(staying < lanesWorth(plan.bytesChanged, plan.geometry));
      if (lane === null) {
        return;
      }
      start(lane);
    }
  };
  const isToYield = (): boolean => staying > 1 && lanes.wanted;
  const load = async (lane: Lane, slot: number): Promise<LoadedSegment | null> => {
    throwIfAborted(signal);
    const [head] = queue.slice(-1);
    if (head !== undefined && !isToYield()) {
      await work.job.roomFor(head);
    }
    const segment = isToYield() ? undefined : queue.pop();
    if (segment === undefined) {
      staying -= 1;
      return null;
    }
    return loadSegment(source, await plan.planSegment(segment), lane.slot(slot));
  };
  start(await lanes.acquire(signal));
  grow();
  while (running.size > 0) {
    await Promise.allSettled(running);
  }
  throwIfAborted(signal);
}

/** One lane's part: while its worker is busy with one slot, the next segment is loaded into the other. */
async function runLane(lane: Lane, work: SegmentWork, run: LaneRun): Promise<void> {
  let next: Promise<LoadedSegment | null> = Promise.resolve(null);
  try {
    const known = await beginWrite(lane, work.job);
    next = run.load(lane, 0);
    for (let slot = 0, loaded = await next; loaded !== null; slot = 1 - slot, loaded = await next) {
      next = run.load(lane, 1 - slot);
      next.catch(work.fail);
      await settleSegment({ lane, slot, known }, loaded, work);
      run.settled();
    }
    await lane.endWrite();
  } catch (error) {
    work.fail(error);
    await lane.dropWrite();
  } finally {
    await next.catch(work.fail);
    work.lanes.release(lane);
  }
}

interface LaneTables {
  state: TableState;
}

async function beginWrite(lane: Lane, job: WriteJob): Promise<LaneTables> {
  const { state, tables } = job.beginTask(lane, null);
  try {
    if (tables !== null) {
      await lane.beginWrite(tables, job);
    }
  } finally {
    job.endTask(lane);
  }
  return { state };
}

/** A task of the worker's, with the tables that are right for it. */
async function cut(
  lane: Lane,
  known: LaneTables,
  job: WriteJob,
  task: Omit<SegmentTask, 'tables'>,
): Promise<SegmentDone> {
  const { state, tables } = job.beginTask(lane, known.state);
  known.state = state;
  try {
    return await lane.segment({ ...task, tables });
  } finally {
    job.endTask(lane);
  }
}

async function settleSegment(
  { lane, slot, known }: { readonly lane: Lane; readonly slot: number; readonly known: LaneTables },
  loaded: LoadedSegment,
  work: SegmentWork,
): Promise<void> {
  const { job, source, plan: writePlan } = work;
  const { segment, limit, old } = loaded.plan;
  const bytes = writePlan.geometry.bytesIn(segment);
  const oldCuts = old.map(({ end }) => end);
  const runs: SegmentRun[] = [];
  const own = new Set<ObjectId>();
  for (let now = loaded; ;) {
    const { plan, zeros, layout } = now;
    const task = { slot, limit, bytes, windows: plan.windows, places: layout.places, zeros, oldCuts };
    const done = await cut(lane, known, job, task);
    job.toRuns(done, own).forEach((run) => appendRun(runs, run));
    job.countRead(source.takeBytesRead(), done.chunksRead, done.chunksNew);
    if (done.open === null) {
      break;
    }
    now = await loadMore(source, now, done.open, lane.slot(slot));
  }
  await job.addRecord({ segment, runs }, own);
  work.onSettled(bytes);
}

/** A run that goes on where the last one ended is part of it. */
function appendRun(runs: SegmentRun[], run: SegmentRun): void {
  const last = runs.at(-1);
  if (run.entries.length === 0) {
    return;
  }
  if (last?.end === run.start) {
    runs[runs.length - 1] = { start: last.start, end: run.end, entries: [...last.entries, ...run.entries] };
  } else {
    runs.push(run);
  }
}
