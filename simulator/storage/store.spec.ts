import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BLOCK } from './block.ts';
import { Store } from './store.ts';
import type { Volume } from './volume.ts';

const SIZE = 6 * BLOCK;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'simulator-store-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Every disk twice: as the store keeps it, and as one plain buffer. */
type Disks = { readonly volume: Volume; readonly naive: Buffer }[];

type Step =
  | { readonly kind: 'write'; readonly disk: number; readonly offset: number; readonly length: number; fill: number }
  | { readonly kind: 'snapshot' | 'destroy'; readonly disk: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      disk: fc.nat(7),
      offset: fc.nat(SIZE - 1),
      length: fc.integer({ min: 1, max: 2 * BLOCK }),
      fill: fc.integer({ min: 0, max: 255 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('snapshot' as const), disk: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('destroy' as const), disk: fc.nat(7) }) },
);

async function apply(store: Store, disks: Disks, action: Step): Promise<void> {
  const index = action.disk % disks.length;
  const disk = disks[index];
  if (disk === undefined) {
    return;
  }
  if (action.kind === 'write') {
    const data = Buffer.alloc(Math.min(action.length, SIZE - action.offset), action.fill);
    await disk.volume.write(action.offset, data);
    data.copy(disk.naive, action.offset);
  } else if (action.kind === 'snapshot') {
    disks.push({ volume: await store.snapshot(disk.volume), naive: Buffer.from(disk.naive) });
  } else if (disks.length > 1) {
    disks.splice(index, 1);
    await store.destroy(disk.volume);
  }
}

describe('the block store', () => {
  it('keeps every disk and snapshot apart, whatever is written, snapshotted and destroyed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.boolean(), async (steps, pausing) => {
        const store = new Store(folder, 1024 * SIZE, 60_000);
        const disks: Disks = [{ volume: store.create(SIZE), naive: Buffer.alloc(SIZE) }];
        for (const action of steps) {
          await apply(store, disks, action);
          if (pausing) {
            await store.settle();
          }
        }
        await store.settle();
        for (const { volume, naive } of disks) {
          expect((await volume.read(0, SIZE)).equals(naive)).toBe(true);
        }
        for (const { volume } of disks) {
          await store.destroy(volume);
        }
        await store.settle();
        await store.close();
        expect(store.used).toBe(0);
        expect(await readdir(folder)).toStrictEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('reads any range as it was written', async () => {
    const store = new Store(folder, 1024 * SIZE, 0);
    const volume = store.create(SIZE);
    await volume.write(BLOCK - 3, Buffer.from('across'));
    expect((await volume.read(BLOCK - 4, 8)).toString('latin1')).toBe('\0across\0');
    expect(await volume.read(SIZE - 1, 1)).toStrictEqual(Buffer.alloc(1));
    await expect(volume.read(SIZE - 1, 2)).rejects.toThrow(RangeError);
    await store.close();
  });

  it('refuses writes beyond its capacity, and takes overwrites', async () => {
    const store = new Store(folder, 2 * BLOCK, 0);
    const volume = store.create(SIZE);
    await volume.write(0, Buffer.alloc(2 * BLOCK, 1));
    await volume.write(0, Buffer.alloc(2 * BLOCK, 2));
    await expect(volume.write(2 * BLOCK, Buffer.alloc(1))).rejects.toMatchObject({ code: 'SR_BACKEND_FAILURE_44' });
    await store.close();
  });
});
