import { describe, expect, it } from 'vitest';
import { toImportSink } from './import-sink.ts';

const MIB = 1024 * 1024;
const { signal } = new AbortController();

function setUp(skipsHoles: boolean) {
  const disk = new Uint8Array(8 * MIB).fill(0xaa);
  const sink = toImportSink(
    {
      write: async (offset, data) => {
        disk.set(data, offset);
      },
    },
    skipsHoles,
  );
  return { disk, sink };
}

describe('the import of a disk', () => {
  it('writes holes as zeros, to the byte, where the disk may hold something else', async () => {
    const { disk, sink } = setUp(false);
    const [from, length] = [1000, 3 * MIB + 77];
    await sink.hole?.(from, length, signal);
    expect(disk.subarray(from, from + length).every((byte) => byte === 0)).toBe(true);
    expect([disk[from - 1], disk[from + length]]).toEqual([0xaa, 0xaa]);
  });

  it('skips holes where the disk reads as zeros anyway', () => {
    expect('hole' in setUp(true).sink).toBe(false);
  });

  it('puts data where it belongs', async () => {
    const { disk, sink } = setUp(true);
    await sink.write(5 * MIB, Uint8Array.of(1, 2, 3), signal);
    expect([...disk.subarray(5 * MIB - 1, 5 * MIB + 4)]).toEqual([0xaa, 1, 2, 3, 0xaa]);
  });
});
