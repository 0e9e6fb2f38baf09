import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChunkFilter } from './chunk-filter.ts';
import { FilterMemory, PAGE_WORDS, SLAB_PAGES } from './filter-memory.ts';

const STEPS = fc.array(
  fc.record({
    what: fc.constantFrom('open', 'close', 'hold', 'release'),
    number: fc.nat({ max: 4 * PAGE_WORDS }),
  }),
  { maxLength: 80 },
);

interface Opened {
  readonly pages: Uint32Array;
  /** The versions in which it is there; the last one excluded. */
  readonly since: number;
  until: number;
}

/** What somebody may ask: filters of now, and of every version that is held. */
function usedPages(filters: readonly Opened[], versions: readonly number[]): number[] {
  const used = filters.filter(({ since, until }) => versions.some((version) => since <= version && version < until));
  return used.flatMap(({ pages }) => [...pages]);
}

type Steps = typeof STEPS extends fc.Arbitrary<infer T> ? T : never;

/** Pages that were given to a filter while they were another's. */
function takenTwice(steps: Steps): number[] {
  const memory = new FilterMemory();
  const filters: Opened[] = [];
  const held: number[] = [];
  const twice: number[] = [];
  let version = 0;
  for (const { what, number } of steps) {
    const there = filters.filter(({ until }) => until === Infinity);
    const closed = there[number % Math.max(1, there.length)];
    if (what === 'open') {
      const used = new Set(usedPages(filters, [...held, version]));
      const pages = memory.take(number + 1);
      twice.push(...pages.filter((page) => used.has(page)));
      version += 1;
      filters.push({ pages, since: version, until: Infinity });
    } else if (what === 'close' && closed !== undefined) {
      version += 1;
      closed.until = version;
      memory.giveUp(closed.pages, version);
    } else if (what === 'hold') {
      memory.hold(version);
      held.push(version);
    } else if (what === 'release') {
      held.splice(number % Math.max(1, held.length), 1).forEach((released) => memory.release(released));
    }
  }
  return twice;
}

test('no page is used again of a filter that is there, or was in a version that somebody holds', () => {
  fc.assert(
    fc.property(STEPS, (steps) => {
      expect(takenTwice(steps)).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test('what was given up is used again when nobody holds it any more', () => {
  const memory = new FilterMemory();
  const words = 5 * PAGE_WORDS;
  memory.hold(0);
  for (let version = 1; version <= 2 * SLAB_PAGES; version += 1) {
    memory.giveUp(memory.take(words), version);
    memory.hold(version);
    memory.release(version - 1);
  }
  expect(memory.slabs.length).toBe(1);
  memory.release(2 * SLAB_PAGES);
  expect(new Set(memory.take(SLAB_PAGES * PAGE_WORDS)).size).toBe(SLAB_PAGES);
  expect(memory.slabs.length).toBe(1);
});

test('a filter that lies in pages from anywhere answers as the one that was stored', () => {
  const chunks = 60_000;
  const numbers = Array.from({ length: 2000 }, (_, i): [number, number] => {
    const digest = createHash('sha256').update(`${i}`).digest();
    return [digest.readUInt32BE(0), digest.readUInt32BE(4)];
  });
  const stored = new Uint8Array(ChunkFilter.bytesFor(chunks));
  const made = ChunkFilter.over(stored, 0, 0);
  numbers.slice(0, 1000).forEach(([high, low]) => made.add(high, low));
  const memory = new FilterMemory();
  const others = Array.from({ length: 700 }, () => memory.take(PAGE_WORDS));
  memory.slabs.forEach((slab) => slab.fill(-1));
  others.filter((_, i) => i % 3 !== 0).forEach((pages) => memory.giveUp(pages, 0));
  const loaded = ChunkFilter.load(memory, stored, 0, 0);
  expect(loaded.ref.pages.length).toBe(10);
  for (const [high, low] of numbers) {
    expect(loaded.mayHave(high, low)).toBe(made.mayHave(high, low));
  }
  expect(numbers.slice(0, 1000).every(([high, low]) => loaded.mayHave(high, low))).toBe(true);
  expect(numbers.slice(1000).filter(([high, low]) => loaded.mayHave(high, low)).length).toBeLessThan(20);
});
