/** Filters lie in pages of so many words, 8 KiB: what a small segment leaves free of its last page is little. */
export const PAGE_WORDS = 2048;
/** Pages are taken from slabs, of 4 MiB. */
export const SLAB_PAGES = 512;

/**
 * Memory for filters, shared with other threads, and used again for new filters when segments were merged away: the
 * garbage collector would leave it for long, because shared memory is no reason for it to run. Whoever may still be
 * asking filters of before holds their version; pages that were given up since wait for it.
 */
export class FilterMemory {
  /** Grows, and is the same for all filters. */
  readonly slabs: Uint32Array[] = [];
  readonly #free: number[] = [];
  readonly #holders = new Map<number, number>();
  readonly #givenUp: { readonly version: number; readonly pages: Uint32Array }[] = [];

  /** Bytes of all slabs; system memory is taken up by what was used of them. */
  get bytes(): number {
    return this.slabs.length * SLAB_PAGES * PAGE_WORDS * Uint32Array.BYTES_PER_ELEMENT;
  }

  /** Pages for so many words. What is in them is of no meaning. */
  take(words: number): Uint32Array {
    const count = Math.ceil(words / PAGE_WORDS);
    while (this.#free.length < count) {
      this.#addSlab();
    }
    return Uint32Array.from(this.#free.splice(-count).toReversed());
  }

  /** Pages that no filter of `version` or later has. */
  giveUp(pages: Uint32Array, version: number): void {
    this.#givenUp.push({ version, pages });
    this.#reclaim();
  }

  /** Until it is released as often, no page is used again that a filter of this version has. */
  hold(version: number): void {
    this.#holders.set(version, (this.#holders.get(version) ?? 0) + 1);
  }

  release(version: number): void {
    const holders = (this.#holders.get(version) ?? 0) - 1;
    if (holders > 0) {
      this.#holders.set(version, holders);
    } else {
      this.#holders.delete(version);
      this.#reclaim();
    }
  }

  #reclaim(): void {
    const oldest = Math.min(...this.#holders.keys());
    for (let [next] = this.#givenUp; next !== undefined && next.version <= oldest; [next] = this.#givenUp) {
      this.#free.push(...next.pages);
      this.#givenUp.shift();
    }
  }

  #addSlab(): void {
    const first = this.slabs.length * SLAB_PAGES;
    const bytes = SLAB_PAGES * PAGE_WORDS * Uint32Array.BYTES_PER_ELEMENT;
    this.slabs.push(new Uint32Array(new SharedArrayBuffer(bytes)));
    // The lowest is taken first.
    this.#free.unshift(...Array.from({ length: SLAB_PAGES }, (_, i) => first + SLAB_PAGES - 1 - i));
  }
}
