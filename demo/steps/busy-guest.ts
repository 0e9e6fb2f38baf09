import { setTimeout as delay } from 'node:timers/promises';
import type { CustomerWorld } from '../world.ts';

const PIECE = 32 * 1024;

/** A guest that never rests: it writes to both disks, at places all over them, until it is told to stop. */
export class BusyGuest {
  #written = 0;
  #busy = true;
  readonly #work: Promise<void>;

  constructor(world: CustomerWorld) {
    this.#work = this.#write(world).finally(() => (this.#busy = false));
    this.#work.catch(() => undefined); // thrown again by stop(), where somebody listens
  }

  get bytesWritten(): number {
    return this.#written;
  }

  /** Waits until it has written so many bytes since it began. */
  async until(bytes: number): Promise<void> {
    while (this.#written < bytes && this.#busy) {
      await delay(20);
    }
  }

  async stop(): Promise<void> {
    this.#busy = false;
    await this.#work;
  }

  async #write({ simulator, guest }: CustomerWorld): Promise<void> {
    for (let round = 0; this.#busy; round += 1) {
      for (const { uuid, sizeBytes } of guest.disks) {
        const offset = ((round * 7919) % Math.floor(sizeBytes / PIECE)) * PIECE;
        await simulator.write(uuid, offset, PIECE, `${uuid} ${round}`);
        this.#written += PIECE;
      }
      await delay(100);
    }
  }
}
