import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { BufferPool, packMemory } from './buffer-pool.ts';

const LARGEST = 64;
const COUNT = 3;
const never = new AbortController().signal;

const step = fc.oneof(
  fc.record({ kind: fc.constant('acquire' as const), bytes: fc.constantFrom(8, 16, 32, LARGEST) }),
  fc.record({ kind: fc.constantFrom('release' as const, 'lose' as const, 'abort' as const), which: fc.nat(20) }),
);

interface Request {
  readonly bytes: number;
  readonly controller: AbortController;
  given: ArrayBuffer | 'given up' | null;
}

function settle(): Promise<void> {
  return new Promise((settled) => {
    setImmediate(settled);
  });
}

/** Asks for memory, and notes what comes of it. */
function ask(pool: BufferPool, bytes: number): Request {
  const request: Request = { bytes, controller: new AbortController(), given: null };
  pool.acquire(bytes, request.controller.signal).then(
    (buffer) => (request.given = buffer),
    () => (request.given = 'given up'),
  );
  return request;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, number) => all + number, 0);
}

function sizesOf(buffers: readonly ArrayBuffer[]): number[] {
  return buffers.filter(({ byteLength }) => byteLength > 0).map((buffer) => packMemory(buffer).length);
}

test('never more memory than was allowed, what is kept included; all that ask are served in turn; nothing stays', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const pool = new BufferPool(COUNT, LARGEST);
      let waiting: Request[] = [];
      let held: { readonly bytes: number; readonly buffer: ArrayBuffer }[] = [];
      const seen = new Set<ArrayBuffer>();
      const lost = new Set<ArrayBuffer>();
      for (const action of [...steps, ...Array.from({ length: 41 }, () => ({ kind: 'release' as const, which: 0 }))]) {
        if (action.kind === 'acquire') {
          waiting.push(ask(pool, action.bytes));
        } else if (action.kind === 'abort') {
          waiting[action.which % Math.max(1, waiting.length)]?.controller.abort();
        } else {
          const [chosen] = held.splice(action.which % Math.max(1, held.length), 1);
          if (chosen !== undefined && action.kind === 'release') {
            pool.release(chosen.buffer);
          } else if (chosen !== undefined) {
            lost.add(chosen.buffer);
            pool.lose(chosen.bytes);
          }
        }
        await settle();
        const open = waiting.filter(({ given }) => given === null);
        const served = waiting.flatMap(({ bytes, given }) => (given instanceof ArrayBuffer ? [{ bytes, given }] : []));
        // Nobody is served before somebody who asked earlier.
        expect(waiting.findLastIndex(({ given }) => given instanceof ArrayBuffer)).toBeLessThan(
          waiting.findIndex(({ given }) => given === null) >>> 0,
        );
        waiting = open;
        held = [...held, ...served.map(({ bytes, given }) => ({ bytes, buffer: given }))];
        served.forEach(({ given }) => seen.add(given));
        expect(served.every(({ bytes, given }) => packMemory(given).length === bytes)).toBe(true);
        expect(sum(sizesOf([...seen].filter((buffer) => !lost.has(buffer))))).toBeLessThanOrEqual(COUNT * LARGEST);
        const used = sum(held.map(({ bytes }) => bytes));
        expect(open.length === 0 || used + (open[0]?.bytes ?? 0) > COUNT * LARGEST).toBe(true);
      }
      expect(waiting).toEqual([]);
      expect(held).toEqual([]);
      expect(sizesOf([...seen].filter((buffer) => !lost.has(buffer)))).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

test('what is given back serves the next who wants as much', async () => {
  const pool = new BufferPool(COUNT, LARGEST);
  const other = await pool.acquire(LARGEST, never);
  const first = await pool.acquire(16, never);
  pool.release(first);
  expect(await pool.acquire(8, never)).not.toBe(first);
  expect(await pool.acquire(16, never)).toBe(first);
  pool.release(other);
});
