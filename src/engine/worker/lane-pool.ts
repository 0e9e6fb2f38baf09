import { abortReason, throwIfAborted } from '../../kernel/abort.ts';
import { AppError } from '../../kernel/errors.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { ChunkingParameters } from '../repository-options.ts';
import { BufferPool } from './buffer-pool.ts';
import { SLOTS } from './lane-memory.ts';
import { Lane } from './lane.ts';

/** How many lanes fit, each with its slots and a pack buffer; a pack’s size is left for one lane’s second buffer, or Node. */
export function lanesWithin(budgetBytes: number, workers: number, parameters: ChunkingParameters): number {
  const perLane = SLOTS * parameters.segmentBytes + parameters.packBytes;
  return Math.max(1, Math.min(workers, Math.floor((budgetBytes - parameters.packBytes) / perLane)));
}

/** The worker threads of a repository. Everybody gets one lane before anybody keeps two. */
export class LanePool {
  readonly buffers: BufferPool;
  readonly size: number;
  readonly #make: () => Lane;
  readonly #lanes: Lane[] = [];
  readonly #free: Lane[] = [];
  readonly #waiting: ((lane: Lane) => void)[] = [];
  #stopped = false;

  constructor(size: number, secrets: RepositorySecrets, parameters: ChunkingParameters) {
    this.size = size;
    this.buffers = new BufferPool(Math.max(2, size), parameters.packBytes);
    this.#make = () => new Lane(secrets, parameters);
  }

  /** Whether somebody waits for a lane: whoever holds more than one gives one back. */
  get wanted(): boolean {
    return this.#waiting.length > 0;
  }

  /** Begins to start threads up to this many: whoever will need them has something else to do first. */
  warmUp(count = this.size): void {
    while (!this.#stopped && this.#lanes.length < Math.min(count, this.size)) {
      const lane = this.#make();
      this.#lanes.push(lane);
      this.#free.push(lane);
    }
  }

  async acquire(signal: AbortSignal): Promise<Lane> {
    throwIfAborted(signal);
    const lane = this.tryAcquire();
    if (lane !== null) {
      return lane;
    }
    return new Promise((resolve, reject) => {
      const take = (given: Lane): void => {
        signal.removeEventListener('abort', abort);
        resolve(given);
      };
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1);
        reject(abortReason(signal));
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.push(take);
    });
  }

  /** `isWorthStarting`: whether there is enough to do for one that has to be started. */
  tryAcquire(isWorthStarting = true): Lane | null {
    if (this.#stopped) {
      throw new AppError('CANCELLED', 'The repository was closed.');
    }
    const free = this.#free.pop();
    if (free !== undefined) {
      return free;
    }
    if (this.#lanes.length === this.size || !isWorthStarting) {
      return null;
    }
    const lane = this.#make();
    this.#lanes.push(lane);
    return lane;
  }

  /** A lane whose thread has died is of no use to anybody; the next that is asked for is a new one. */
  release(lane: Lane): void {
    let usable: Lane | null = lane;
    if (lane.isBroken && !this.#stopped) {
      this.#lanes.splice(this.#lanes.indexOf(lane), 1);
      usable = this.#waiting.length > 0 ? this.tryAcquire() : null;
    }
    if (usable === null) {
      return;
    }
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#free.push(usable);
    } else {
      next(usable);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
  }
}
