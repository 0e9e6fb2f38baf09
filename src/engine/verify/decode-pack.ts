import { quiet } from '../../kernel/quiet.ts';
import type { Frame, PackTable } from '../format/pack-reader.ts';
import type { Store } from '../ports/store.ts';
import type { Lane } from '../worker/lane.ts';
import { requireDamage } from './diagnose.ts';
import { cutWindows, type FrameWindow } from './pack-layout.ts';

const SEALED_SLOT = 0;
const RAW_SLOT = 1;

/**
 * Opens every frame of a pack on a lane and returns those that do not hold what they should. While the lane opens one
 * window, the next is read.
 */
export async function decodePack(store: Store, lane: Lane, table: PackTable, signal: AbortSignal): Promise<number[]> {
  const decoding = new PackDecoding(store, lane, table, signal);
  return decoding.run();
}

class PackDecoding {
  readonly #store: Store;
  readonly #lane: Lane;
  readonly #table: PackTable;
  readonly #signal: AbortSignal;
  readonly #areaBytes: number;

  constructor(store: Store, lane: Lane, table: PackTable, signal: AbortSignal) {
    this.#store = store;
    this.#lane = lane;
    this.#table = table;
    this.#signal = signal;
    this.#areaBytes = Math.floor(lane.slot(SEALED_SLOT).length / 2);
  }

  async run(): Promise<number[]> {
    const windows = cutWindows(this.#table, this.#areaBytes);
    const lost: number[] = [];
    let reading = this.#read(windows[0], 0);
    try {
      for (const [i, window] of windows.entries()) {
        const isRead = await reading;
        const next = windows[i + 1];
        const parallel = this.#isSmall(window) && this.#isSmall(next);
        reading = quiet(parallel ? this.#read(next, i + 1) : Promise.resolve(false));
        lost.push(...(await this.#decode(window, i, isRead)));
        if (!parallel) {
          reading = this.#read(next, i + 1);
        }
      }
    } finally {
      // The slot goes on to others: nothing may still be written to it.
      await reading.catch(() => false);
    }
    return lost;
  }

  #isSmall(window: FrameWindow | undefined): boolean {
    return window === undefined || window.bytes <= this.#areaBytes;
  }

  #areaOf(window: FrameWindow, index: number): number {
    return this.#isSmall(window) ? (index % 2) * this.#areaBytes : 0;
  }

  /** False where the store can't give all of it. */
  async #read(window: FrameWindow | undefined, index: number): Promise<boolean> {
    if (window === undefined) {
      return false;
    }
    const at = this.#areaOf(window, index);
    return this.#fill(window.offset, at, window.bytes);
  }

  async #fill(offset: number, at: number, bytes: number): Promise<boolean> {
    const into = this.#lane.slot(SEALED_SLOT).subarray(at, at + bytes);
    try {
      await this.#store.getRange(this.#table.opener.name, offset, into, this.#signal);
      return true;
    } catch (error) {
      requireDamage(error);
      return false;
    }
  }

  async #decode(window: FrameWindow, index: number, isRead: boolean): Promise<number[]> {
    const area = this.#areaOf(window, index);
    const place = (frame: Frame): number => area + frame.offset - window.offset;
    if (isRead && (await this.#opens(window.frames, place))) {
      return [];
    }
    const lost: number[] = [];
    for (const frame of window.frames) {
      const there = isRead || (await this.#fill(frame.offset, place(frame), frame.sealedBytes));
      if (!there || !(await this.#opens([frame], place))) {
        lost.push(frame.ordinal);
      }
    }
    return lost;
  }

  async #opens(frames: readonly Frame[], place: (frame: Frame) => number): Promise<boolean> {
    try {
      await this.#lane.decode({
        from: SEALED_SLOT,
        to: RAW_SLOT,
        packs: [this.#table.opener],
        frames: frames.map((frame) => ({ pack: 0, frame, sealedAt: place(frame), rawAt: [0] })),
      });
      return true;
    } catch (error) {
      requireDamage(error);
      return false;
    }
  }
}
