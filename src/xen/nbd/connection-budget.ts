import { AppError } from '../../kernel/errors.ts';
import { abortable } from '../abortable.ts';

/** A host takes 16 in all; some are left for whoever else reads from it. */
const PER_HOST = 12;
/** How long a disk waits for a place before its attempt ends; the disks before it may be large. */
const PATIENCE_MS = 30 * 60_000;

interface Host {
  taken: number;
  readonly waiting: (() => void)[];
}

/** How many NBD connections this process has to each host, whatever the number of disks. */
export class ConnectionBudget {
  readonly #hosts = new Map<string, Host>();
  readonly #perHost: number;
  readonly #patienceMs: number;

  constructor(perHost: number = PER_HOST, patienceMs: number = PATIENCE_MS) {
    this.#perHost = perHost;
    this.#patienceMs = patienceMs;
  }

  hasPlace(address: string): boolean {
    return this.#host(address).taken < this.#perHost;
  }

  /** False where the host has no place left: for connections that one can do without. */
  tryTake(address: string): boolean {
    const host = this.#host(address);
    if (!this.hasPlace(address)) {
      return false;
    }
    host.taken += 1;
    return true;
  }

  /** Waits for a place, first come, first served. NBD_UNAVAILABLE where none came free in time. */
  async take(address: string, signal?: AbortSignal): Promise<void> {
    if (this.tryTake(address)) {
      return;
    }
    const host = this.#host(address);
    const { promise, resolve } = Promise.withResolvers<void>();
    host.waiting.push(resolve);
    const late = AbortSignal.timeout(this.#patienceMs);
    try {
      await abortable(promise, signal === undefined ? late : AbortSignal.any([signal, late]));
    } catch (error) {
      const index = host.waiting.indexOf(resolve);
      if (index < 0) {
        // The place was given to us at the very moment we gave up.
        this.release(address);
      } else {
        host.waiting.splice(index, 1);
      }
      throw late.aborted && signal?.aborted !== true ? this.#tooLong(address, host) : error;
    }
  }

  release(address: string): void {
    const host = this.#host(address);
    const next = host.waiting.shift();
    if (next === undefined) {
      host.taken -= 1;
    } else {
      next();
    }
  }

  #tooLong(address: string, { taken, waiting }: Host): AppError {
    const others = `${taken} connections to other disks are open, ${waiting.length} more disks wait`;
    return new AppError(
      'NBD_UNAVAILABLE',
      `The host at ${address} had no place for this disk within ${Math.round(this.#patienceMs / 1000)} s: ${others}.`,
      { hint: 'Back up fewer disks of this pool at a time, or give its NBD network to more hosts; it is tried again.' },
    );
  }

  #host(address: string): Host {
    const host = this.#hosts.get(address) ?? { taken: 0, waiting: [] };
    this.#hosts.set(address, host);
    return host;
  }
}
