import { Worker, type Transferable } from 'node:worker_threads';
import { AppError } from '../../kernel/errors.ts';
import { siblingModule } from '../../kernel/module-url.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { ChunkingParameters } from '../repository-options.ts';
import { allocateLaneMemory, slotView, type LaneMemory } from './lane-memory.ts';
import type {
  DecodeTask,
  FoundPlaces,
  FromWorker,
  HashTask,
  NewPack,
  SealedPack,
  SegmentDone,
  SegmentTask,
  TaskDone,
  ToWorker,
  WriteTables,
} from './protocol.ts';

/**
 * A worker's heap holds little; what it compresses and seals lies outside and goes when the heap is swept. A small heap
 * is swept often: with Node's defaults two workers held 100 to 200 MB more, and were no faster.
 */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 48 };

/** What a write does for the workers that it uses. */
export interface WriteHost {
  /** Settles when there is memory for one more pack. */
  nextPack(): Promise<NewPack>;
  packSealed(pack: SealedPack): void;
  /** Where the chunks of these digests are stored already. */
  lookUp(digests: Uint8Array): Promise<FoundPlaces>;
}

interface Pending {
  readonly answer: Promise<TaskDone>;
  resolve(done: TaskDone): void;
  reject(error: unknown): void;
}

/** A worker thread with its memory, for whoever holds the lane. It does one task after the other, as they were asked for. */
export class Lane {
  readonly #worker: Worker;
  readonly #memory: LaneMemory;
  readonly #secrets: RepositorySecrets;
  readonly #pending: Pending[] = [];
  #host: WriteHost | null = null;
  #broken: AppError | null = null;

  constructor(secrets: RepositorySecrets, parameters: ChunkingParameters) {
    this.#memory = allocateLaneMemory(parameters);
    this.#secrets = secrets;
    const workerData = { secrets, parameters, lane: this.#memory };
    this.#worker = new Worker(siblingModule(import.meta.url, './lane-worker'), {
      workerData,
      resourceLimits: RESOURCE_LIMITS,
    });
    this.#worker.unref();
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('error', (error) => this.#break(error));
    this.#worker.on('messageerror', (error) => this.#break(error));
    this.#worker.on('exit', () => this.#break(undefined));
  }

  slot(index: number): Uint8Array {
    return slotView(this.#memory, index);
  }

  /** Its thread has ended; nothing that is asked of it will be done. */
  get isBroken(): boolean {
    return this.#broken !== null;
  }

  async beginWrite(tables: WriteTables, host: WriteHost): Promise<void> {
    this.#host = host;
    const { generation, objectRoot } = this.#secrets;
    await this.#ask({ type: 'begin-write', tables, key: { generation, objectRoot } });
  }

  async segment(task: SegmentTask): Promise<SegmentDone> {
    return given((await this.#ask({ type: 'segment', task })).segment);
  }

  /** All packs of this lane have been handed to the host when this returns. */
  async endWrite(): Promise<void> {
    await this.#ask({ type: 'end-write' });
    this.#host = null;
  }

  /** Forgets a write that failed; returns when the worker has let go of the lane's memory. */
  async dropWrite(): Promise<void> {
    this.#host = null;
    this.#send({ type: 'drop-write' });
    await Promise.allSettled(this.#pending.map(({ answer }) => answer));
  }

  async decode(task: DecodeTask): Promise<void> {
    await this.#ask({ type: 'decode', task });
  }

  /** The hash of this stretch and all before it, from the last `first` on. */
  async hash(task: HashTask): Promise<Uint8Array> {
    return given((await this.#ask({ type: 'hash', task })).digest);
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  async #ask(message: ToWorker): Promise<TaskDone> {
    if (this.#broken !== null) {
      throw this.#broken;
    }
    const { promise, resolve, reject } = Promise.withResolvers<TaskDone>();
    // What can't be sent is not waited for.
    this.#send(message);
    this.#pending.push({ answer: promise, resolve, reject });
    this.#worker.ref();
    return promise;
  }

  #send(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'done':
        this.#settle()?.resolve(message.done);
        break;
      case 'failed': {
        const { code, message: text, hint, data, stack } = message.error;
        this.#settle()?.reject(new AppError(code, text, { hint, data, cause: stack }));
        break;
      }
      case 'need-buffer':
        void this.#giveBuffer();
        break;
      case 'look-up':
        void this.#givePlaces(message.digests);
        break;
      case 'pack':
        this.#host?.packSealed(message.pack);
        break;
    }
  }

  async #giveBuffer(): Promise<void> {
    const host = this.#host;
    try {
      const pack = await host?.nextPack();
      if (pack !== undefined) {
        this.#send({ type: 'buffer', pack }, [pack.buffer]);
      }
    } catch {
      // The host knows why it has no memory to give; the worker is told to stop waiting for it.
      this.#send({ type: 'drop-write' });
    }
  }

  async #givePlaces(digests: Uint8Array): Promise<void> {
    try {
      const found = await this.#host?.lookUp(digests);
      if (found !== undefined) {
        this.#send({ type: 'places', found });
      }
    } catch {
      // The host knows why it can't tell; the worker is told to stop waiting for it.
      this.#send({ type: 'drop-write' });
    }
  }

  /** The task that was asked for first of those that are left. */
  #settle(): Pending | undefined {
    const pending = this.#pending.shift();
    if (this.#pending.length === 0) {
      this.#worker.unref();
    }
    return pending;
  }

  #break(cause: unknown): void {
    this.#broken ??= new AppError('INTERNAL', 'A worker thread of the vault engine ended.', { cause });
    for (let pending = this.#settle(); pending !== undefined; pending = this.#settle()) {
      pending.reject(this.#broken);
    }
  }
}

function given<T>(answer: T | undefined): T {
  if (answer === undefined) {
    throw new AppError('INTERNAL', 'A worker gave no answer to a task.');
  }
  return answer;
}
