import { throwIfAborted } from '../../kernel/abort.ts';
import { isAppError, type AppError } from '../../kernel/errors.ts';
import type { Compressed } from '../format/compress.ts';
import { OBJECT_KIND } from '../format/header.ts';
import { newObjectId, type ObjectId } from '../format/ids.ts';
import { packName } from '../format/names.ts';
import { PackBuilder } from '../format/pack-builder.ts';
import { FrameOpener, readPackTable, type Frame, type PackTable } from '../format/pack-reader.ts';
import { Sealer } from '../format/seal.ts';
import type { IndexedPack } from '../index/index-entries.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { isDamage } from '../verify/diagnose.ts';
import { packMemory } from '../worker/buffer-pool.ts';
import type { FrameBits } from './frame-bits.ts';
import { findLockDates } from './lock-dates.ts';
import { announcePack } from './own-packs.ts';

/** Frames that lie next to each other are read in one piece, up to this. */
const MAX_READ_BYTES = 4 * 1024 * 1024;
/** New packs are published together, and so often that an interrupted collection need not copy all of them again. */
const PACKS_PUBLISHED_TOGETHER = 16;

interface CompressedFrame extends Compressed {
  readonly rawBytes: number;
}

/** In the store, and not in the index yet. */
interface CopiedPack extends IndexedPack {
  readonly frames: number;
  readonly bytes: number;
}

export interface CopyOutcome {
  /** In packs that were published, here and below. */
  readonly frames: number;
  readonly bytes: number;
  /** Packs with frames that are needed and open nowhere. */
  readonly damaged: ReadonlySet<ObjectId>;
  /** A pack went meanwhile: what was in it has to be looked for again. */
  readonly isStale: boolean;
  /** That the store had no room for the rest; null: it had. */
  readonly full: AppError | null;
}

/**
 * Puts frames into new packs as they are: opened, checked, and sealed with a new key. Published and durable when this
 * returns, also what a store had room for before it was full. Each new pack is announced before it is put, so that no
 * other collector takes it for waste.
 *
 * A pack is locked past the date of every point that needs something in it; what is copied is locked as long. Frames of
 * packs with different dates don't share a new one: neither may it go too early, nor are they all kept for the longest.
 */
export async function copyFrames(
  context: RepositoryContext,
  frames: FrameBits,
  sessionId: string,
  how: { readonly signal: AbortSignal; readonly onPack: () => void },
): Promise<CopyOutcome> {
  const { buffers } = context.lanes;
  const { packBytes } = context.parameters;
  const buffer = await buffers.acquire(packBytes, how.signal);
  let isDone = false;
  try {
    const copy = new FrameCopy(context, sessionId, buffer, how.signal);
    const dates = [...(await findLockDates(context, frames.packs()))];
    await copy.asFarAsFits(async () => {
      for (const [pack, lockedUntil] of dates.toSorted(([, a], [, b]) => a - b)) {
        throwIfAborted(how.signal);
        await copy.lockUntil(lockedUntil);
        await copy.add(pack, frames.frames(pack));
        how.onPack();
      }
      await copy.finish();
    });
    isDone = copy.full === null;
    return copy;
  } finally {
    if (isDone) {
      buffers.release(buffer);
    } else {
      // A store that refused it or was interrupted may not have let go of the memory.
      buffers.lose(packBytes);
    }
  }
}

class FrameCopy implements CopyOutcome {
  readonly damaged = new Set<ObjectId>();
  frames = 0;
  bytes = 0;
  isStale = false;
  full: AppError | null = null;
  readonly #context: RepositoryContext;
  readonly #sessionId: string;
  readonly #buffer: Uint8Array;
  readonly #signal: AbortSignal;
  readonly #indexed: CopiedPack[] = [];
  #builder: PackBuilder | null = null;
  /** To the pack that is open. */
  #added = { frames: 0, bytes: 0 };
  /** Of what is added now; 0 if it need not be locked. */
  #lockedUntil = 0;

  constructor(context: RepositoryContext, sessionId: string, buffer: ArrayBuffer, signal: AbortSignal) {
    this.#context = context;
    this.#sessionId = sessionId;
    this.#buffer = packMemory(buffer);
    this.#signal = signal;
  }

  /** What was put before the store was full is worth keeping: what it was copied from may go, and make room. */
  async asFarAsFits(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.full = requireFull(error);
      await this.#publish().catch(requireFull);
    }
  }

  async lockUntil(date: number): Promise<void> {
    if (date !== this.#lockedUntil) {
      await this.#closePack();
      this.#lockedUntil = date;
    }
  }

  async add(pack: ObjectId, ordinals: Iterable<number>): Promise<void> {
    const frames = this.#readFrames(pack, ordinals);
    for (;;) {
      // Reading only: what can't be put says nothing of this pack, and more than this one waits to be put.
      const next = await this.#orDamaged(pack, frames.next());
      if (next === null || next.done === true) {
        return;
      }
      await this.#append(next.value.data, next.value.digest);
    }
  }

  async #orDamaged<T>(pack: ObjectId, reading: Promise<T>): Promise<T | null> {
    try {
      return await reading;
    } catch (error) {
      if (!isDamage(error)) {
        throw error;
      }
      if ((await this.#context.store.head(packName('data', pack))) === null) {
        this.isStale = true;
      } else {
        this.damaged.add(pack);
      }
      return null;
    }
  }

  async finish(): Promise<void> {
    await this.#closePack();
    await this.#publish();
  }

  async #publish(): Promise<void> {
    const packs = this.#indexed.splice(0);
    await this.#context.store.flush();
    if (packs.length > 0) {
      await this.#context.index.publish(packs, this.#signal);
      await this.#context.store.flush();
    }
    for (const { frames, bytes } of packs) {
      this.frames += frames;
      this.bytes += bytes;
    }
  }

  async *#readFrames(
    pack: ObjectId,
    ordinals: Iterable<number>,
  ): AsyncGenerator<{ readonly data: CompressedFrame; readonly digest: Uint8Array }, void> {
    const { store, secrets } = this.#context;
    const table = await readPackTable(store, 'data', pack, secrets, this.#signal);
    for (const run of toRuns(Array.from(ordinals, (ordinal) => table.frame(ordinal)))) {
      const sealed = await this.#readOrNull(table, run.offset, run.bytes);
      for (const frame of run.frames) {
        const at = frame.offset - run.offset;
        // Of a run that can't be read, it may be one sector.
        const part =
          sealed?.subarray(at, at + frame.sealedBytes) ??
          (await this.#readOrNull(table, frame.offset, frame.sealedBytes));
        const opened = part === null ? null : this.#open(table, frame, part);
        const data = opened ?? (await this.#openElsewhere(frame.digest, pack));
        if (data === null) {
          this.damaged.add(pack);
        } else {
          yield { data, digest: frame.digest };
        }
      }
    }
  }

  /** Null where the store can't read it, though the pack is there. */
  async #readOrNull({ opener }: PackTable, offset: number, bytes: number): Promise<Uint8Array | null> {
    const sealed = new Uint8Array(bytes);
    try {
      await this.#context.store.getRange(opener.name, offset, sealed, this.#signal);
      return sealed;
    } catch (error) {
      if (isDamage(error) && !isAppError(error, 'VAULT_OBJECT_MISSING')) {
        return null;
      }
      throw error;
    }
  }

  /** Null where it does not open, or is not what its digest says. */
  #open({ opener }: PackTable, frame: Frame, sealed: Uint8Array): CompressedFrame | null {
    try {
      new FrameOpener(opener, this.#context.secrets.digestKey).open(frame, sealed);
    } catch (error) {
      if (isDamage(error)) {
        return null;
      }
      throw error;
    }
    const data = new Sealer(opener.frameKey, opener.context).open(frame, sealed);
    return { codec: frame.codec, data, rawBytes: frame.rawBytes };
  }

  /** The same chunk in another pack that is on its way out. */
  async #openElsewhere(digest: Uint8Array, damaged: ObjectId): Promise<CompressedFrame | null> {
    const { store, secrets, index } = this.#context;
    for (const pack of (await index.packsOf(digest)).filter((each) => each !== damaged)) {
      try {
        const table = await readPackTable(store, 'data', pack, secrets, this.#signal);
        const frame = table.find(digest);
        const sealed = new Uint8Array(frame?.sealedBytes ?? 0);
        await store.getRange(table.opener.name, frame?.offset ?? 0, sealed, this.#signal);
        const opened = frame === null ? null : this.#open(table, frame, sealed);
        if (opened !== null) {
          return opened;
        }
      } catch (error) {
        if (!isDamage(error)) {
          throw error;
        }
      }
    }
    return null;
  }

  async #append(frame: CompressedFrame, digest: Uint8Array): Promise<void> {
    if (this.#builder !== null && !this.#builder.fits(frame.data.length)) {
      await this.#closePack();
    }
    this.#builder ??= new PackBuilder(this.#buffer, OBJECT_KIND.dataPack, newObjectId(), this.#context.secrets);
    this.#builder.appendCompressed(frame, digest);
    this.#added.frames += 1;
    this.#added.bytes += frame.data.length;
  }

  async #closePack(): Promise<void> {
    const builder = this.#builder;
    if (builder === null) {
      return;
    }
    const added = this.#added;
    this.#builder = null;
    this.#added = { frames: 0, bytes: 0 };
    const digests = builder.shortDigests();
    const data = this.#buffer.subarray(0, builder.finish());
    await announcePack(this.#context, this.#sessionId, builder.id);
    const lock = this.#lockedUntil === 0 ? {} : { retainUntil: this.#lockedUntil };
    const how = { signal: this.#signal, givesSpaceBack: true, ...lock };
    await this.#context.store.putIfAbsent(packName('data', builder.id), [data], how);
    this.#indexed.push({ id: builder.id, digests, ...added });
    if (this.#indexed.length === PACKS_PUBLISHED_TOGETHER) {
      await this.#publish();
    }
  }
}

function requireFull(error: unknown): AppError {
  if (!isAppError(error, 'VAULT_FULL')) {
    throw error;
  }
  return error;
}

interface Run {
  readonly offset: number;
  bytes: number;
  readonly frames: Frame[];
}

function toRuns(frames: readonly Frame[]): Run[] {
  const runs: Run[] = [];
  for (const frame of frames) {
    const last = runs.at(-1);
    if (
      last !== undefined &&
      last.offset + last.bytes === frame.offset &&
      last.bytes + frame.sealedBytes <= MAX_READ_BYTES
    ) {
      last.bytes += frame.sealedBytes;
      last.frames.push(frame);
    } else {
      runs.push({ offset: frame.offset, bytes: frame.sealedBytes, frames: [frame] });
    }
  }
  return runs;
}
