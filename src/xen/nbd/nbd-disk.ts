import { throwIfAborted } from '../../kernel/abort.ts';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { AppError, isAppError } from '../../kernel/errors.ts';
import { limit } from '../../kernel/limit.ts';
import { ConnectionBudget } from './connection-budget.ts';
import { MAX_READ_BYTES, SECTOR_BYTES } from './constants.ts';
import { NbdConnection, type NbdTimeouts } from './nbd-connection.ts';
import type { NbdExport } from './nbd-export.ts';

export interface NbdDiskOptions {
  /** Asked before the first connection and after failures: addresses, sessions and certificates may have changed. */
  readonly locate: (signal: AbortSignal | undefined) => Promise<readonly NbdExport[]>;
  /** Connections side by side, spread over the addresses; a host takes 16 in all. */
  readonly connections?: number;
  /** Requests in flight on each of them. */
  readonly depth?: number;
  /** Tries for each request, without anything read in between, before the disk is given up. */
  readonly attempts?: number;
  readonly retryDelayMs?: number;
  readonly timeouts?: NbdTimeouts;
  readonly clock?: Clock;
  /** Shared by all disks of the process unless given. */
  readonly budget?: ConnectionBudget;
}

const processBudget = new ConnectionBudget();
const DEFAULT_TIMEOUTS: NbdTimeouts = { connectMs: 60_000, requestMs: 60_000 };

interface Lane {
  connection: NbdConnection | null;
  opening: Promise<NbdConnection> | null;
  waiting: number;
  /** Could not be connected while another lane was: a host that is full or out of reach is left alone. */
  closed: boolean;
}

/** A disk read over several NBD connections; a connection that breaks is opened again, and only its reads are repeated. */
export class NbdDisk {
  readonly concurrency: number;
  readonly sizeBytes: number;
  bytesRead = 0;
  reconnects = 0;
  readonly #options: Required<NbdDiskOptions>;
  readonly #lanes: readonly Lane[];
  readonly #withSlot: <T>(work: () => Promise<T>) => Promise<T>;
  #exports: readonly NbdExport[];
  #nextExport = 0;
  #closed = false;

  private constructor(options: Required<NbdDiskOptions>, exports: readonly NbdExport[], first: NbdConnection) {
    this.#options = options;
    this.#exports = exports;
    this.sizeBytes = first.sizeBytes;
    this.concurrency = options.connections * options.depth;
    this.#withSlot = limit(this.concurrency);
    this.#lanes = Array.from({ length: options.connections }, (_, index) => ({
      connection: index === 0 ? first : null,
      opening: null,
      waiting: 0,
      closed: false,
    }));
    this.#nextExport = 1;
  }

  /** Throws NBD_UNAVAILABLE where no address can be connected to. */
  static async open(given: NbdDiskOptions, signal?: AbortSignal): Promise<NbdDisk> {
    const options = {
      connections: 2,
      depth: 8,
      attempts: 5,
      retryDelayMs: 1000,
      timeouts: DEFAULT_TIMEOUTS,
      clock: systemClock,
      budget: processBudget,
      ...given,
    };
    const exports = await options.locate(signal);
    let failure = new AppError('NBD_UNAVAILABLE', 'The pool offers the disk over NBD at no address.');
    // A host with a free place first; only where all are full, the disk waits for one.
    const free = exports.map(({ address }) => options.budget.hasPlace(address));
    for (const target of [...exports.filter((_, i) => free[i]), ...exports.filter((_, i) => free[i] !== true)]) {
      try {
        await options.budget.take(target.address, signal);
        return new NbdDisk(options, exports, await connectWithin(options, target, signal));
      } catch (error) {
        if (!isAppError(error, 'NBD_UNAVAILABLE')) {
          throw error;
        }
        failure = error;
      }
    }
    throw failure;
  }

  /** Fills `into` from `offset` on. Throws NBD_FAILED once a request has failed on every attempt. */
  async read(offset: number, into: Uint8Array, signal?: AbortSignal): Promise<void> {
    const end = offset + into.length;
    // A disk may end within a sector; nothing is past its end.
    if (offset % SECTOR_BYTES !== 0 || (end % SECTOR_BYTES !== 0 && end !== this.sizeBytes)) {
      await this.#readUnaligned(offset, into, signal);
      return;
    }
    const pieces: Promise<void>[] = [];
    for (let at = 0; at < into.length; at += MAX_READ_BYTES) {
      const piece = into.subarray(at, Math.min(at + MAX_READ_BYTES, into.length));
      pieces.push(this.#withSlot(async () => this.#readPiece(offset + at, piece, signal)));
    }
    // All of them must have let go of the memory before the caller may use it otherwise.
    const failed = (await Promise.allSettled(pieces)).find((piece) => piece.status === 'rejected');
    if (failed !== undefined) {
      throw failed.reason;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(
      this.#lanes.map(async (lane) => {
        const opening = await lane.opening?.catch(() => null); // it never opened; its reader was told
        await Promise.all([lane.connection?.close(), opening?.close()]);
      }),
    );
  }

  async #readUnaligned(offset: number, into: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    const start = offset - (offset % SECTOR_BYTES);
    const end = Math.min(this.sizeBytes, Math.ceil((offset + into.length) / SECTOR_BYTES) * SECTOR_BYTES);
    const whole = new Uint8Array(end - start);
    await this.read(start, whole, signal);
    into.set(whole.subarray(offset - start, offset - start + into.length));
  }

  async #readPiece(offset: number, into: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    let progress = this.bytesRead;
    for (let attempt = 1; ; attempt += 1) {
      this.#throwIfOver(signal);
      const lane = this.#idlest();
      lane.waiting += 1;
      try {
        const connection = await this.#connectionOf(lane, signal);
        await connection.read(offset, into, signal);
        this.bytesRead += into.length;
        return;
      } catch (error) {
        if (!isAppError(error, 'NBD_FAILED', 'NBD_UNAVAILABLE') || attempt >= this.#options.attempts) {
          throw error;
        }
        // A line that breaks often but gets on is no reason to give up.
        attempt = this.bytesRead > progress ? 0 : attempt;
        progress = this.bytesRead;
      } finally {
        lane.waiting -= 1;
      }
      this.#throwIfOver(signal);
      await this.#options.clock.sleep(this.#options.retryDelayMs, signal);
    }
  }

  #throwIfOver(signal: AbortSignal | undefined): void {
    throwIfAborted(signal);
    if (this.#closed) {
      throw new AppError('CANCELLED', 'The disk was closed.');
    }
  }

  #idlest(): Lane {
    const usable = this.#lanes.filter((lane) => !lane.closed);
    const [first, ...others] = usable.length === 0 ? this.#lanes : usable;
    if (first === undefined) {
      throw new AppError('INTERNAL', 'An NBD disk needs at least one connection.');
    }
    let best = first;
    for (const lane of others) {
      best = lane.waiting < best.waiting ? lane : best;
    }
    return best;
  }

  async #connectionOf(lane: Lane, signal: AbortSignal | undefined): Promise<NbdConnection> {
    if (lane.connection?.isOpen === true) {
      return lane.connection;
    }
    lane.opening ??= this.#reopen(lane, signal);
    try {
      const connection = await lane.opening;
      lane.closed = false;
      return connection;
    } catch (error) {
      lane.closed = true;
      throw error;
    } finally {
      lane.opening = null;
    }
  }

  async #reopen(lane: Lane, signal: AbortSignal | undefined): Promise<NbdConnection> {
    const again = lane.connection !== null;
    if (again || this.#exports.length === 0) {
      this.#exports = await this.#options.locate(signal);
    }
    const target = this.#exports[this.#nextExport % Math.max(1, this.#exports.length)];
    this.#nextExport += 1;
    if (target === undefined) {
      throw new AppError('NBD_UNAVAILABLE', 'The pool no longer offers the disk over NBD.');
    }
    if (lane === this.#lanes[0]) {
      await this.#options.budget.take(target.address, signal);
    } else if (!this.#options.budget.tryTake(target.address)) {
      throw new AppError('NBD_UNAVAILABLE', `The host at ${target.address} has no place for another connection.`);
    }
    const connection = await connectWithin(this.#options, target, signal);
    if (connection.sizeBytes !== this.sizeBytes) {
      await connection.close();
      throw new AppError(
        'NBD_FAILED',
        `The disk's size changed from ${this.sizeBytes} to ${connection.sizeBytes} bytes.`,
      );
    }
    this.reconnects += again ? 1 : 0;
    lane.connection = connection;
    return connection;
  }
}

/** Connects in a place that was taken before, and gives it back when the connection is over. */
async function connectWithin(
  { budget, timeouts }: Required<NbdDiskOptions>,
  target: NbdExport,
  signal: AbortSignal | undefined,
): Promise<NbdConnection> {
  try {
    const connection = await NbdConnection.open(target, timeouts, signal);
    void connection.ended.then(() => {
      budget.release(target.address);
      return null;
    });
    return connection;
  } catch (error) {
    budget.release(target.address);
    throw error;
  }
}
