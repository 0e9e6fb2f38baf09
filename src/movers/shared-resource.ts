import { abortable } from '../xen/abortable.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';

interface Entry<R> {
  readonly opening: Promise<R>;
  users: number;
  /** Counts uses, so that a closing that was planned earlier sees that it is no longer due. */
  uses: number;
  broken: boolean;
}

/** Opens something costly once for all who want it at the same time, and closes it a while after the last one. */
export class SharedResource<K, R> {
  readonly #entries = new Map<K, Entry<R>>();
  readonly #close: (resource: R) => Promise<void>;
  readonly #lingerMs: number;
  readonly #clock: Clock;
  readonly #stopped = new AbortController();

  constructor(close: (resource: R) => Promise<void>, lingerMs: number, clock: Clock = systemClock) {
    this.#close = close;
    this.#lingerMs = lingerMs;
    this.#clock = clock;
  }

  /** `isBroken` says of an error of `work` that the resource must not be given to anybody else. */
  async use<T>(
    key: K,
    open: () => Promise<R>,
    work: (resource: R) => Promise<T>,
    { isBroken, signal }: { readonly isBroken: (error: unknown) => boolean; readonly signal?: AbortSignal },
  ): Promise<T> {
    const entry = this.#entries.get(key) ?? this.#add(key, open);
    entry.users += 1;
    entry.uses += 1;
    try {
      return await work(await abortable(entry.opening, signal));
    } catch (error) {
      if (isBroken(error)) {
        this.#forget(key, entry);
      }
      throw error;
    } finally {
      entry.users -= 1;
      if (entry.users === 0) {
        await this.#release(key, entry);
      }
    }
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(entries.map(async (entry) => this.#end(entry)));
  }

  #add(key: K, open: () => Promise<R>): Entry<R> {
    const entry: Entry<R> = { opening: open(), users: 0, uses: 0, broken: false };
    entry.opening.catch(() => {
      this.#forget(key, entry);
    });
    this.#entries.set(key, entry);
    return entry;
  }

  #forget(key: K, entry: Entry<R>): void {
    entry.broken = true;
    if (this.#entries.get(key) === entry) {
      this.#entries.delete(key);
    }
  }

  async #release(key: K, entry: Entry<R>): Promise<void> {
    if (entry.broken || this.#stopped.signal.aborted) {
      await this.#end(entry);
    } else {
      void this.#closeLater(key, entry, entry.uses);
    }
  }

  async #closeLater(key: K, entry: Entry<R>, uses: number): Promise<void> {
    try {
      await this.#clock.sleep(this.#lingerMs, this.#stopped.signal);
    } catch {
      // Stopped: `close` ends everything itself.
      return;
    }
    if (entry.users === 0 && entry.uses === uses && this.#entries.get(key) === entry) {
      this.#entries.delete(key);
      await this.#end(entry);
    }
  }

  async #end(entry: Entry<R>): Promise<void> {
    let resource: R;
    try {
      resource = await entry.opening;
    } catch {
      // It was never open; whoever asked for it has been told.
      return;
    }
    await this.#close(resource);
  }
}
