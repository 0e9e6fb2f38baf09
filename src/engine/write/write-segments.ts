import { abortReason, throwIfAborted } from '../../kernel/abort.ts';
import { settleAll } from '../../kernel/settle-all.ts';
import type { ObjectId } from '../format/ids.ts';
import type { SegmentRun } from '../manifest/segment-record.ts';
import { SLOTS } from '../worker/lane-memory.ts';
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

/** Works off all segments that the job has not settled, on as many lanes as are to be had. */
export async function writeSegments(work: SegmentWork): Promise<void> {
  const { lanes, plan, signal } = work;
  const queue = work.segments.toReversed();
  if (queue.length === 0) {
    return;
  }
  const running = new Set<Promise<void>>();
  // Lanes that have not decided to end; those that have may still run for a while.
  const staying = new Set<Lane>();
  const start = (lane: Lane): void => {
    staying.add(lane);
    const run = runLane(lane, work, { next: () => next(lane), settled: grow }).finally(() => running.delete(run));
    running.add(run);
  };
  const grow = (): void => {
    while (queue.length > 0 && !lanes.wanted && !signal.aborted) {
      const lane = lanes.tryAcquire(staying.size < lanesWorth(plan.bytesChanged, plan.geometry));
      if (lane === null) {
        return;
      }
      start(lane);
    }
  };
  const isToEnd = (lane: Lane): boolean => !staying.has(lane) || (staying.size > 1 && lanes.wanted);
  const next = async (lane: Lane): Promise<number | undefined> => {
    throwIfAborted(signal);
    const [head] = queue.slice(-1);
    if (head !== undefined && !isToEnd(lane)) {
      await work.job.roomFor(head);
    }
    const segment = isToEnd(lane) ? undefined : queue.pop();
    if (segment === undefined) {
      staying.delete(lane);
    }
    return segment;
  };
  start(await lanes.acquire(signal));
  grow();
  while (running.size > 0) {
    await Promise.allSettled(running);
  }
  throwIfAborted(signal);
}

interface Queue {
  /** The next segment for this lane, if there is one. */
  next(): Promise<number | undefined>;
  settled(): void;
}

/** One lane's part: each slot has a segment of its own, so that the worker has one to cut while another is loaded. */
async function runLane(lane: Lane, work: SegmentWork, queue: Queue): Promise<void> {
  try {
    const known = await beginWrite(lane, work.job);
    const slots = Array.from({ length: SLOTS }, (_, slot) => runSlot({ lane, slot, known }, work, queue));
    await settleAll(slots);
    await lane.endWrite();
  } catch (error) {
    fail(work, error);
    await lane.dropWrite();
  } finally {
    work.lanes.release(lane);
  }
}

async function runSlot(place: LaneSlot, work: SegmentWork, queue: Queue): Promise<void> {
  const { plan, source } = work;
  const memory = place.lane.slot(place.slot);
  try {
    for (let segment = await queue.next(); segment !== undefined; segment = await queue.next()) {
      await settleSegment(place, await loadSegment(source, await plan.planSegment(segment), memory), work);
      queue.settled();
    }
  } catch (error) {
    // The lane's other slot may be waiting for what only an end of the write ends.
    fail(work, error);
    throw error;
  }
}

/** A write that was ended from outside ends for that reason, not for what it made fail. */
function fail({ fail: end, signal }: SegmentWork, error: unknown): void {
  end(signal.aborted ? abortReason(signal) : error);
}

/** What a lane's worker knows, or will when it comes to the next task. */
interface LaneTables {
  state: TableState;
}

interface LaneSlot {
  readonly lane: Lane;
  readonly slot: number;
  readonly known: LaneTables;
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
  const { state, tables } = job.beginTask(task, known.state);
  known.state = state;
  try {
    return await lane.segment({ ...task, tables });
  } finally {
    job.endTask(task);
  }
}

async function settleSegment({ lane, slot, known }: LaneSlot, loaded: LoadedSegment, work: SegmentWork): Promise<void> {
  const { job, source, plan: writePlan } = work;
  const { segment, limit } = loaded.plan;
  const bytes = writePlan.geometry.bytesIn(segment);
  const runs: SegmentRun[] = [];
  const own = new Set<ObjectId>();
  for (let now = loaded; ;) {
    const { plan, zeros, layout } = now;
    const task = { slot, limit, bytes, windows: plan.windows, places: layout.places, zeros };
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
