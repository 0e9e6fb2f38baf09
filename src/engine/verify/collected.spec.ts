import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes, type TestVault } from '../testing/test-vault.ts';
import { findUnreadable, HEADER, LEVELS } from './testing/three-points.ts';
import type { VerifyLevel, VerifyResult } from './verify-types.ts';

// Lanes without threads: what is damaged is the store's, and threads take their time to start.
vi.mock('../worker/lane.ts', () => import('../testing/inline-lane.ts'));

const PIECE = 48 * KIB;

let vault: TestVault;
let kept: string;
let disk: Uint8Array;
/** Packs that collection made of what was still needed, and how many went. */
let moved: string[];
let collected: number;

/** Of two points that share every second piece, the first is deleted: its packs are half empty. */
beforeEach(async () => {
  vault = await createTestVault();
  const shared = Array.from({ length: 6 }, () => randomBytes(PIECE));
  const mixed = (): Uint8Array => new Uint8Array(Buffer.concat(shared.flatMap((each) => [randomBytes(PIECE), each])));
  await using repository = await vault.open((same) => same, 1);
  const gone = await backup(repository, { disks: { xvda: new MemoryDisk(mixed()) } });
  disk = mixed();
  kept = (await backup(repository, { disks: { xvda: new MemoryDisk(disk) } })).summary.pointId;
  const before = packNames();
  await repository.deletePoint(gone.summary.pointId);
  await repository.collect({ graceMs: 0, minLiveShare: 1 });
  moved = packNames().filter((name) => !before.includes(name));
  collected = before.filter((name) => !vault.objects.has(name)).length;
});

afterEach(async () => {
  await vault[Symbol.asyncDispose]();
});

function packNames(): string[] {
  return [...vault.objects.keys()].filter((name) => name.startsWith('data/'));
}

async function verifyAt(level: VerifyLevel): Promise<VerifyResult> {
  await using fresh = await vault.open((same) => same, 1);
  return await fresh.verify({ level });
}

test.each(LEVELS)('chunks that were moved are verified where they are now, at level %i', async (level) => {
  expect(moved.length).toBeGreaterThan(0);
  expect(collected).toBeGreaterThan(0);
  const result = await verifyAt(level);
  expect(result).toMatchObject({ damagedObjects: [], damagedPoints: [], intactPoints: [kept] });
  expect(result.packsChecked).toBe(packNames().length);
  await using fresh = await vault.open((same) => same, 1);
  expect(sameBytes(await restore(fresh, kept, 'xvda'), disk)).toBe(true);
});

test.each([
  ['lost', 0],
  ['changed', 1],
  ['changed', 2],
] as const)(
  'a pack with moved chunks that is %s is found at level %i, with exactly what it costs',
  async (how, level) => {
    const [name = ''] = moved;
    const data = (vault.objects.get(name) ?? new Uint8Array(0)).slice();
    data[HEADER + 10] = (data[HEADER + 10] ?? 0) ^ 1;
    if (how === 'lost') {
      vault.objects.delete(name);
    } else {
      vault.objects.set(name, data);
    }
    const result = await verifyAt(level);
    await using fresh = await vault.open((same) => same, 1);
    const unreadable = await findUnreadable(fresh, { pointId: kept, diskKey: 'xvda' }, disk.length);
    expect(unreadable.length).toBeGreaterThan(0);
    expect(result.damagedPoints).toMatchObject([{ pointId: kept, disks: [{ diskKey: 'xvda', ranges: unreadable }] }]);
    expect(result.damagedObjects.length).toBeGreaterThan(0);
  },
);
