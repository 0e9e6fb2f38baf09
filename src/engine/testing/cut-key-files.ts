import { randomBytes } from 'node:crypto';
import type { KeyFiles } from '../keys/key-files.ts';
import type { GetOptions } from '../ports/store.ts';
import { MemoryStore } from './memory-store.ts';

/** What was asked for when the power went. */
export class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

/**
 * Key files in memory, gone after so many steps. A step is one thing that a process does to the folder: a put, an
 * overwriting, a deletion, a flush. Names that were put or deleted since the last flush may survive a power cut or not,
 * each by itself; what was overwritten stays so.
 */
export class CutKeyFiles implements KeyFiles {
  readonly description = 'memory';
  readonly #live = new MemoryStore();
  #durable: ReadonlyMap<string, Uint8Array>;
  #pending: { readonly name: string; readonly content: Uint8Array | null }[] = [];
  #steps = 0;
  readonly #cutAt: number;

  constructor(content: ReadonlyMap<string, Uint8Array> = new Map(), cutAt = Infinity) {
    this.#durable = new Map(content);
    content.forEach((data, name) => this.#live.objects.set(name, data));
    this.#cutAt = cutAt;
  }

  get steps(): number {
    return this.#steps;
  }

  /** What is there if nothing is cut. */
  get content(): ReadonlyMap<string, Uint8Array> {
    return this.#live.objects;
  }

  /** What may be there after the cut: once per combination of unsynchronised names. */
  *survivors(): Iterable<Map<string, Uint8Array>> {
    for (let mask = 0; mask < 2 ** this.#pending.length; mask += 1) {
      const files = new Map(this.#durable);
      this.#pending.forEach(({ name, content }, i) => {
        if ((mask & (1 << i)) === 0) {
          return;
        }
        if (content === null) {
          files.delete(name);
        } else {
          files.set(name, content);
        }
      });
      yield files;
    }
  }

  async make(): Promise<void> {}

  async putIfAbsent(name: string, parts: readonly Uint8Array[]): Promise<'created' | 'exists'> {
    this.#step();
    const outcome = await this.#live.putIfAbsent(name, parts);
    if (outcome === 'created') {
      this.#pending.push({ name, content: this.#live.objects.get(name) ?? new Uint8Array(0) });
    }
    return outcome;
  }

  async erase(name: string): Promise<void> {
    this.#step();
    const noise = randomBytes(this.#live.objects.get(name)?.length ?? 0);
    if (this.#live.objects.has(name)) {
      this.#live.objects.set(name, noise);
      this.#durable = new Map(this.#durable).set(name, noise);
    }
    await this.delete(name);
  }

  async delete(name: string): Promise<void> {
    this.#step();
    await this.#live.delete(name);
    this.#pending.push({ name, content: null });
  }

  async flush(): Promise<void> {
    this.#step();
    this.#durable = new Map(this.#live.objects);
    this.#pending = [];
  }

  async get(name: string, options?: GetOptions): Promise<Uint8Array> {
    this.#requirePower();
    return this.#live.get(name, options);
  }

  list(prefix: string): ReturnType<KeyFiles['list']> {
    this.#requirePower();
    return this.#live.list(prefix);
  }

  #step(): void {
    this.#requirePower();
    this.#steps += 1;
    this.#requirePower();
  }

  #requirePower(): void {
    if (this.#steps >= this.#cutAt) {
      throw new PowerCut(`cut after ${this.#steps} steps`);
    }
  }
}
