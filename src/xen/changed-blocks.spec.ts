import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHANGED_BLOCK_BYTES, rangesOfBitmap } from './changed-blocks.ts';

/** The other way round, bit by bit, from the description of the format. */
function bitmapOf(blocks: readonly boolean[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(blocks.length / 8));
  for (const [index, changed] of blocks.entries()) {
    if (changed) {
      bytes[Math.floor(index / 8)] = (bytes[Math.floor(index / 8)] ?? 0) + 2 ** (7 - (index % 8));
    }
  }
  return bytes;
}

describe('the ranges of a bitmap of changed blocks', () => {
  it('takes block 0 from the most significant bit', () => {
    expect(rangesOfBitmap(Uint8Array.of(0b1000_0001), 8 * CHANGED_BLOCK_BYTES)).toEqual([
      { offset: 0, length: CHANGED_BLOCK_BYTES },
      { offset: 7 * CHANGED_BLOCK_BYTES, length: CHANGED_BLOCK_BYTES },
    ]);
  });

  it('cover exactly the changed blocks, for any disk, also one that ends within a block', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: CHANGED_BLOCK_BYTES }),
        fc.integer({ min: 0, max: 5 }),
        (blocks, tail, padding) => {
          const size = (blocks.length - 1) * CHANGED_BLOCK_BYTES + tail;
          const bitmap = new Uint8Array([...bitmapOf(blocks), ...new Uint8Array(padding).fill(0xff)]);
          const covered = new Set<number>();
          let end = -1;
          for (const range of rangesOfBitmap(bitmap, size)) {
            expect(range.offset).toBeGreaterThan(end);
            end = range.offset + range.length;
            expect(end).toBeLessThanOrEqual(size);
            for (let at = range.offset; at < end; at += CHANGED_BLOCK_BYTES) {
              covered.add(at / CHANGED_BLOCK_BYTES);
            }
            expect(end === size || end % CHANGED_BLOCK_BYTES === 0).toBe(true);
          }
          expect([...covered]).toEqual([...blocks.entries()].filter(([, on]) => on).map(([index]) => index));
        },
      ),
    );
  });

  it('does not believe a bitmap that is too short', () => {
    expect(() => rangesOfBitmap(new Uint8Array(1), 9 * CHANGED_BLOCK_BYTES)).toThrow(
      expect.objectContaining({ code: 'CHANGED_BLOCKS_UNAVAILABLE' }),
    );
  });
});
