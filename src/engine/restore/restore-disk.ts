import { throwIfAborted } from '../../kernel/abort.ts';
import { AppError, isAppError } from '../../kernel/errors.ts';
import { limit } from '../../kernel/limit.ts';
import { quiet } from '../../kernel/quiet.ts';
import { settleAll } from '../../kernel/settle-all.ts';
import { corrupt } from '../format/header.ts';
import { packName } from '../format/names.ts';
import { SHORT_DIGEST_BYTES } from '../keys/digest.ts';
import { ManifestReader } from '../manifest/manifest-reader.ts';
import { geometryOf, type RepositoryContext } from '../repository-context.ts';
import type { DiskManifest } from '../manifest/manifest-types.ts';
import type { RestoreDiskRequest, RestoreResult } from './restore-types.ts';
import { isDamage } from '../verify/diagnose.ts';
import type { Lane } from '../worker/lane.ts';
import { planSegmentRead, type Extent, type ReadBatch, type SegmentReadPlan } from './read-plan.ts';

const SEALED_SLOT = 0;
const RAW_SLOT = 1;
const MAX_WRITE_BYTES = 4 * 1024 * 1024;
/** So many collections may each take packs of a segment away between its plan and its reads. */
const MAX_PLANS = 8;

/** Reads a disk segment by segment on all lanes that are free, and hands it to the sink. */
export async function restoreDisk(
  context: RepositoryContext,
  manifest: DiskManifest,
  request: RestoreDiskRequest,
): Promise<RestoreResult> {
  const controller = new AbortController();
  const own = controller.signal;
  const signal = request.signal === undefined ? own : AbortSignal.any([request.signal, own]);
  const restore = new DiskRestore(context, manifest, request, signal);
  const running = new Set<Promise<void>>();
  // Lanes that have not decided to end; those that have may still run for a while.
  let staying = 0;
  const shouldYield = (): boolean => {
    const yields = staying > 1 && context.lanes.wanted;
    staying -= yields ? 1 : 0;
    return yields;
  };
  const start = (lane: Lane): void => {
    staying += 1;
    const run = restore
      .work(lane, shouldYield)
      .catch((error: unknown) => {
        controller.abort(error);
      })
      .finally(() => {
        running.delete(run);
        context.lanes.release(lane);
      });
    running.add(run);
  };
  start(await context.lanes.acquire(signal));
  for (let lane = restore.more(running.size); lane !== null; lane = restore.more(running.size)) {
    start(lane);
  }
  while (running.size > 0) {
    await Promise.allSettled(running);
  }
  if (own.aborted) {
    throw own.reason;
  }
  throwIfAborted(signal);
  restore.requireAll();
  return restore.result;
}

/** A batch whose sealed frames lie in their slot from `at` on; none for a segment that is all holes. */
interface LoadedBatch {
  readonly segment: number;
  readonly plan: SegmentReadPlan;
  readonly batch: ReadBatch | null;
  /** Null: the store could not give all of them. */
  readonly at: number | null;
  readonly isLast: boolean;
}

/** Of a slot for sealed frames: one is read to while the other is opened. */
interface Halves {
  readonly bytes: number;
  next: number;
}

class DiskRestore {
  readonly #context: RepositoryContext;
  readonly #request: RestoreDiskRequest;
  readonly #signal: AbortSignal;
  readonly #reader: ManifestReader;
  readonly #turn: <T>(work: () => Promise<T>) => Promise<T>;
  readonly #from: number;
  readonly #settled = new Set<number>();
  #next: number;
  #settledBelow: number;
  #written = 0;
  #holes = 0;

  constructor(context: RepositoryContext, manifest: DiskManifest, request: RestoreDiskRequest, signal: AbortSignal) {
    const { store, secrets } = context;
    this.#context = context;
    this.#request = request;
    this.#signal = signal;
    this.#reader = new ManifestReader(store, secrets, manifest, (size) => geometryOf(context, size));
    this.#turn = limit(Math.max(1, request.sink.concurrency));
    this.#from = request.from ?? 0;
    if (!(this.#from >= 0 && this.#from <= manifest.sizeBytes)) {
      throw new AppError('BAD_INPUT', `A restore of ${manifest.sizeBytes} bytes can't begin at ${this.#from}.`);
    }
    this.#next = Math.floor(this.#from / this.#reader.geometry.segmentBytes);
    this.#settledBelow = this.#next;
  }

  get result(): RestoreResult {
    return { sizeBytes: this.#reader.geometry.sizeBytes, bytesWritten: this.#written, bytesHoles: this.#holes };
  }

  /** A restore that ends without having said everything to its sink must not look like one that succeeded. */
  requireAll(): void {
    const { segmentCount } = this.#reader.geometry;
    if (this.#settledBelow < segmentCount) {
      throw new AppError('INTERNAL', `Only ${this.#settledBelow} of ${segmentCount} segments of a disk were restored.`);
    }
  }

  /** One more lane, as long as there are segments for it and nobody else waits. */
  more(running: number): Lane | null {
    const { lanes } = this.#context;
    return running < this.#reader.geometry.segmentCount - this.#next && !lanes.wanted ? lanes.tryAcquire() : null;
  }

  /** While the lane opens one batch, the next is read; and the sink takes the one before until the lane is ready. */
  async work(lane: Lane, shouldYield: () => boolean): Promise<void> {
    const batches = this.#batches(lane, shouldYield);
    let writes: Promise<void> = Promise.resolve();
    let next = quiet(batches.next());
    try {
      for (let loaded = await next; loaded.done !== true; loaded = await next) {
        const { segment, plan, batch, at, isLast } = loaded.value;
        next = quiet(batches.next());
        await writes;
        if (batch !== null) {
          await this.#decode(lane, batch, at);
          writes = quiet(this.#write(lane, segment, batch.extents));
        }
        writes = isLast ? quiet(this.#settle(segment, plan, writes)) : writes;
      }
    } finally {
      // The slots go on to others: nothing may still be written to them or read from them.
      await next.catch(() => undefined);
      await writes;
    }
  }

  /** `at` is null where it could not be read in one piece. */
  async #decode(lane: Lane, batch: ReadBatch, at: number | null): Promise<void> {
    try {
      if (at !== null) {
        await lane.decode({ ...moved(batch, at), from: SEALED_SLOT, to: RAW_SLOT });
        return;
      }
    } catch (error) {
      if (!isDamage(error)) {
        throw error;
      }
    }
    await this.#readSingly(lane, batch);
  }

  /** Something in the batch is damaged: each chunk is read by itself, from wherever it opens. */
  async #readSingly(lane: Lane, { packs, frames }: ReadBatch): Promise<void> {
    const slot = lane.slot(RAW_SLOT);
    for (const { pack, frame, rawAt } of frames) {
      throwIfAborted(this.#signal);
      const id = packs[pack]?.context.objectId ?? '';
      const digest = frame.digest.subarray(0, SHORT_DIGEST_BYTES);
      const raw = await this.#context.chunks.read({ pack: id, frame: frame.ordinal, digest }, this.#signal);
      if (raw.length !== frame.rawBytes) {
        throw corrupt(packName('data', id), `has a frame ${frame.ordinal} of another length than elsewhere`);
      }
      rawAt.forEach((start) => slot.set(raw, start));
    }
  }

  /** Reads the batches of one segment after the other, by turns into the two halves of the slot for sealed frames. */
  async *#batches(lane: Lane, shouldYield: () => boolean): AsyncGenerator<LoadedBatch, void> {
    const halves = { bytes: Math.floor(lane.slot(SEALED_SLOT).length / 2), next: 0 };
    while (this.#next < this.#reader.geometry.segmentCount && !shouldYield()) {
      throwIfAborted(this.#signal);
      const segment = this.#next;
      this.#next += 1;
      yield* this.#segmentBatches(lane, segment, halves);
    }
  }

  /** Planned again without what the sink has already, where a pack was collected since the plan was made. */
  async *#segmentBatches(lane: Lane, segment: number, halves: Halves): AsyncGenerator<LoadedBatch, void> {
    const done = new Set<number>();
    let plan = await this.#plan(segment, halves.bytes, done);
    if (plan.batches.length === 0) {
      yield { segment, plan, batch: null, at: 0, isLast: true };
    }
    const left = [...plan.batches];
    let plans = 1;
    for (let batch = left.shift(); batch !== undefined; batch = left.shift()) {
      const at = halves.next * halves.bytes;
      const outcome = await this.#tryBatch(lane, batch, at);
      if (outcome !== 'gone' || plans === MAX_PLANS) {
        batch.frames.forEach(({ rawAt }) => rawAt.forEach((start) => done.add(start)));
        halves.next = 1 - halves.next;
        yield { segment, plan, batch, at: outcome === 'read' ? at : null, isLast: left.length === 0 };
      } else {
        await this.#forgetPacks(plan);
        plan = await this.#plan(segment, halves.bytes, done);
        plans += 1;
        left.splice(0, left.length, ...plan.batches);
      }
    }
  }

  async #tryBatch(lane: Lane, batch: ReadBatch, at: number): Promise<'read' | 'gone' | 'damaged'> {
    try {
      await this.#readBatch(lane, batch, at);
      return 'read';
    } catch (error) {
      if (!isDamage(error)) {
        throw error;
      }
      return isAppError(error, 'VAULT_OBJECT_MISSING') ? 'gone' : 'damaged';
    }
  }

  async #plan(segment: number, batchBytes: number, done: ReadonlySet<number>): Promise<SegmentReadPlan> {
    const table = await this.#reader.segment(segment);
    return planSegmentRead(this.#context.chunks, table, this.#reader.geometry, { segment, batchBytes, done });
  }

  /** What went with one pack may have gone with others: their tables are read from the store again. */
  async #forgetPacks({ batches }: SegmentReadPlan): Promise<void> {
    await this.#context.condemned.refreshToRead();
    for (const { context } of batches.flatMap(({ packs }) => packs)) {
      this.#context.chunks.forget(context.objectId);
    }
  }

  async #readBatch(lane: Lane, batch: ReadBatch, batchAt: number): Promise<void> {
    const slot = lane.slot(SEALED_SLOT).subarray(batchAt);
    const reads = batch.reads.map(({ name, offset, at, bytes }) =>
      this.#context.store.getRange(name, offset, slot.subarray(at, at + bytes), this.#signal),
    );
    await settleAll(reads);
  }

  async #write(lane: Lane, segment: number, extents: readonly Extent[]): Promise<void> {
    const first = segment * this.#reader.geometry.segmentBytes;
    const slot = lane.slot(RAW_SLOT);
    const writes: Promise<void>[] = [];
    for (const { start, end } of this.#wanted(extents, first)) {
      for (let at = start; at < end; at += MAX_WRITE_BYTES) {
        const data = slot.subarray(at, Math.min(end, at + MAX_WRITE_BYTES));
        writes.push(this.#turn(() => this.#writePiece(first + at, data)));
      }
    }
    await settleAll(writes);
  }

  async #writePiece(offset: number, data: Uint8Array): Promise<void> {
    throwIfAborted(this.#signal);
    await this.#request.sink.write(offset, data, this.#signal);
    this.#written += data.length;
  }

  async #settle(segment: number, plan: SegmentReadPlan, writes: Promise<void>): Promise<void> {
    const { segmentBytes, sizeBytes } = this.#reader.geometry;
    const first = segment * segmentBytes;
    await writes;
    for (const { start, end } of this.#wanted(plan.holes, first)) {
      await this.#turn(async () => this.#request.sink.hole?.(first + start, end - start, this.#signal));
      this.#holes += end - start;
    }
    this.#settled.add(segment);
    while (this.#settled.delete(this.#settledBelow)) {
      this.#settledBelow += 1;
    }
    const settledBelow = Math.min(sizeBytes, Math.max(this.#from, this.#settledBelow * segmentBytes));
    this.#request.onProgress?.({ settledBelow, bytesWritten: this.#written, sizeBytes });
  }

  /** Without what lies below the cursor that the restore goes on from. */
  #wanted(extents: readonly Extent[], first: number): Extent[] {
    return extents
      .map(({ start, end }) => ({ start: Math.max(start, this.#from - first), end }))
      .filter(({ start, end }) => start < end);
  }
}

function moved({ packs, frames }: ReadBatch, by: number): Pick<ReadBatch, 'packs' | 'frames'> {
  return { packs, frames: frames.map((frame) => ({ ...frame, sealedAt: frame.sealedAt + by })) };
}
