import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK } from './block.ts';
import { ChangedBlocks } from './changed-blocks.ts';

const BLOCKS = 21;
const LIVE = 'live';

/** The blocks that a bitmap names, read the way a client reads it. */
function blocksOf(bitmap: Buffer): number[] {
  return Array.from({ length: bitmap.length * 8 }, (_, block) => block).filter(
    (block) => ((bitmap[block >> 3] ?? 0) & (128 >> (block & 7))) !== 0,
  );
}

describe('changed-block tracking', () => {
  it('names exactly the blocks written between two snapshots, also when snapshots between them are gone', () => {
    const writes = fc.array(fc.nat(BLOCKS - 1), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(fc.tuple(writes, fc.boolean()), { minLength: 2, maxLength: 8 }), (rounds) => {
        const tracking = new ChangedBlocks();
        tracking.enable(LIVE, BLOCKS * BLOCK);
        for (const [round, [written]] of rounds.entries()) {
          written.forEach((block) => tracking.record(LIVE, block, block));
          tracking.snapshot(LIVE, `s${round}`);
        }
        const kept = rounds
          .map(([, keep], round) => ({ keep, round }))
          .filter(({ keep, round }) => keep || round === 0);
        rounds.forEach((_, round) => {
          if (!kept.some((each) => each.round === round)) {
            tracking.remove(`s${round}`);
          }
        });
        for (const from of kept) {
          for (const to of kept.filter((each) => each.round > from.round)) {
            const expected = rounds.slice(from.round + 1, to.round + 1).flatMap(([written]) => written);
            const bitmap = tracking.between(`s${from.round}`, `s${to.round}`);
            expect(bitmap).toHaveLength(Math.ceil(BLOCKS / 8));
            expect(blocksOf(bitmap)).toStrictEqual([...new Set(expected)].toSorted((a, b) => a - b));
          }
        }
      }),
    );
  });

  it.each([
    ['the other way round', 's1', 's0'],
    ['of a disk with itself', 's0', 's0'],
    ['of an unknown disk', 'nobody', 's1'],
  ])('has no answer %s', (_, from, to) => {
    const tracking = new ChangedBlocks();
    tracking.enable(LIVE, BLOCKS * BLOCK);
    tracking.snapshot(LIVE, 's0');
    tracking.snapshot(LIVE, 's1');
    expect(() => tracking.between(from, to)).toThrow(expect.objectContaining({ code: 'SR_BACKEND_FAILURE_460' }));
  });

  it('starts a new chain when it was switched off and on', () => {
    const tracking = new ChangedBlocks();
    tracking.enable(LIVE, BLOCKS * BLOCK);
    tracking.snapshot(LIVE, 's0');
    tracking.remove(LIVE);
    tracking.enable(LIVE, BLOCKS * BLOCK);
    tracking.snapshot(LIVE, 's1');
    expect(() => tracking.between('s0', 's1')).toThrow(expect.objectContaining({ code: 'SR_BACKEND_FAILURE_460' }));
  });
});
