import { abortable } from '../abortable.ts';

/** A host takes 16 in all; some are left for whoever else reads from it. */
const PER_HOST = 12;

interface Host {
  taken: number;
  readonly waiting: (() => void)[];
}

/** How many NBD connections this process has to each host, whatever the number of disks. */
export class ConnectionBudget {
  readonly #hosts = new Map<string, Host>();
  readonly #perHost: number;

  constructor(perHost: number = PER_HOST) {
    this.#perHost = perHost;
  }

  /** False where the host has no place left: for connections that one can do without. */
  tryTake(address: string): boolean {
    const host = this.#host(address);
    if (host.taken >= this.#perHost) {
      return false;
    }
    host.taken += 1;
    return true;
  }

  /** Waits for a place. */
  async take(address: string, signal?: AbortSignal): Promise<void> {
    if (this.tryTake(address)) {
      return;
    }
    const host = this.#host(address);
    const { promise, resolve } = Promise.withResolvers<void>();
    host.waiting.push(resolve);
    try {
      await abortable(promise, signal);
    } catch (error) {
      const index = host.waiting.indexOf(resolve);
      if (index < 0) {
        // The place was given to us at the very moment we gave up.
        this.release(address);
      } else {
        host.waiting.splice(index, 1);
      }
      throw error;
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

  #host(address: string): Host {
    const host = this.#hosts.get(address) ?? { taken: 0, waiting: [] };
    this.#hosts.set(address, host);
    return host;
  }
}
