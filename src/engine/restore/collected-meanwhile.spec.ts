import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import type { Store } from '../ports/store.ts';
import { alterStore } from '../testing/alter-store.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes, type TestVault } from '../testing/test-vault.ts';
import type { BlockSink } from '../ports/block-io.ts';
import type { Repository } from '../repository.ts';
import type { VerifyLevel } from '../verify/verify-types.ts';

const PIECE = 24 * KIB;

let vault: TestVault;
let kept: string;
let disk: Uint8Array;

/** Of two points that share every second piece, the first is deleted: half of what its packs hold is to be moved. */
beforeEach(async () => {
  vault = await createTestVault();
  const shared = Array.from({ length: 12 }, () => randomBytes(PIECE));
  const mixed = (): Uint8Array => new Uint8Array(Buffer.concat(shared.flatMap((each) => [randomBytes(PIECE), each])));
  await using repository = await vault.open((same) => same, 1);
  const gone = await backup(repository, { disks: { xvda: new MemoryDisk(mixed()) } });
  disk = mixed();
  kept = (await backup(repository, { disks: { xvda: new MemoryDisk(disk) } })).summary.pointId;
  await repository.deletePoint(gone.summary.pointId);
});

afterEach(async () => {
  await vault[Symbol.asyncDispose]();
});

async function collect(): Promise<void> {
  await using collector = await vault.open((same) => same, 1);
  const { deleted } = await collector.collect({ graceMs: 0, minLiveShare: 1 });
  expect(deleted.dataPacks).toBeGreaterThan(1);
}

/** What is read to a lane's memory are frames, or a pack's bytes: `happen` runs just before the n-th time. */
function beforeLaneRead(count: number, happen: () => Promise<void>, of = 'data/'): (store: Store) => Store {
  let reads = 0;
  return (store) =>
    alterStore(store, {
      getRange: async (name, offset, into, signal) => {
        reads += name.startsWith(of) && into.buffer instanceof SharedArrayBuffer ? 1 : 0;
        if (reads === count) {
          reads += 1;
          await happen();
        }
        await store.getRange(name, offset, into, signal);
      },
    });
}

test.each([1, 3, 5])('a restore goes on where packs were collected before its read %i', async (count) => {
  await using reader = await vault.open(beforeLaneRead(count, collect), 1);
  const seen = new Uint8Array(disk.length);
  const restored = new Uint8Array(disk.length);
  const sink: BlockSink = {
    concurrency: 2,
    write: async (offset, data) => {
      restored.set(data, offset);
      data.forEach((_, i) => {
        seen[offset + i] = (seen[offset + i] ?? 0) + 1;
      });
    },
  };
  const result = await reader.restoreDisk({ pointId: kept, diskKey: 'xvda', sink });
  expect(sameBytes(restored, disk)).toBe(true);
  expect(seen.every((times) => times === 1)).toBe(true);
  expect(result.bytesWritten).toBe(disk.length);
});

const LEVELS: readonly VerifyLevel[] = [1, 2];

test.each(LEVELS)('packs that are collected while level %i reads them are no damage', async (level) => {
  const [shared = ''] = [...vault.objects.keys()].filter((name) => name.startsWith('data/'));
  await using reader = await vault.open(beforeLaneRead(1, collect, shared), 1);
  const result = await reader.verify({ level });
  expect(result).toMatchObject({ damagedObjects: [], damagedPoints: [], intactPoints: [kept] });
});

test('browsing goes on where packs were collected since the piece before', async () => {
  await using reader = await vault.open((same) => same, 1);
  expect(sameBytes(await restore(reader, kept, 'xvda'), disk)).toBe(true);
  const read = new Uint8Array(disk.length);
  for await (const { offset, data } of reader.readDisk({ pointId: kept, diskKey: 'xvda' })) {
    read.set(data ?? [], offset);
    if (offset === 0) {
      await collect();
    }
  }
  expect(sameBytes(read, disk)).toBe(true);
});

/** Loses every pack, after everything was stored once more: `reader` knows all of the packs that go. */
async function loseAndStoreAgain(reader: Repository): Promise<void> {
  expect(sameBytes(await restore(reader, kept, 'xvda'), disk)).toBe(true);
  for (const name of [...vault.objects.keys()].filter((each) => each.startsWith('data/'))) {
    vault.objects.delete(name);
  }
  await using writer = await vault.open((same) => same, 1);
  await backup(writer, { disks: { xvda: new MemoryDisk(disk) } });
}

const READERS: readonly (readonly [string, (reader: Repository) => Promise<Uint8Array>])[] = [
  ['a restore', (reader) => restore(reader, kept, 'xvda')],
  [
    'browsing',
    async (reader) => {
      const read = new Uint8Array(disk.length);
      for await (const { offset, data } of reader.readDisk({ pointId: kept, diskKey: 'xvda' })) {
        read.set(data ?? [], offset);
      }
      return read;
    },
  ],
  [
    'an incremental that takes unchanged data from the vault',
    async (reader) => {
      const base = { pointId: kept, changed: [{ offset: 0, length: 4 * KIB }] };
      const source = { disks: { xvda: new MemoryDisk(disk) }, base, unchangedFrom: 'vault' as const };
      const { summary } = await backup(reader, source);
      return restore(reader, summary.pointId, 'xvda');
    },
  ],
];

test.each(READERS)('%s finds what was moved, and moved again since', async (_, read) => {
  await using reader = await vault.open((same) => same, 1);
  for (let times = 0; times < 2; times += 1) {
    await loseAndStoreAgain(reader);
    expect(sameBytes(await read(reader), disk)).toBe(true);
  }
});
