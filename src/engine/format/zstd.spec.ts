import { randomBytes } from 'node:crypto';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { zstdCompress, zstdDecompress } from './zstd.ts';

const text = Buffer.from('what is said twice is said twice '.repeat(4000));

it('gives frames that any zstd reads, and reads frames that any zstd gives', () => {
  for (const raw of [text, randomBytes(100_000), Buffer.alloc(1_000_000), Buffer.from([7])]) {
    expect(zstdDecompressSync(zstdCompress(raw)).equals(raw)).toBe(true);
    const target = new Uint8Array(raw.length);
    zstdDecompress(zstdCompressSync(raw), target);
    expect(Buffer.compare(target, raw)).toBe(0);
  }
});

it('gives what Node’s own call gives, whatever it compressed before', () => {
  for (const raw of [text, text.subarray(5), randomBytes(3000), text]) {
    const whole = zstdCompressSync(raw, { params: { 100: 1 } });
    expect(zstdCompress(raw).length).toBe(whole.length);
  }
});

it('fills shared memory, and nothing beyond the place that it was given', () => {
  const memory = new Uint8Array(new SharedArrayBuffer(text.length + 2));
  memory.fill(9);
  zstdDecompress(zstdCompressSync(text), memory.subarray(1, 1 + text.length));
  expect([memory[0], memory.at(-1)]).toEqual([9, 9]);
  expect(Buffer.compare(memory.subarray(1, 1 + text.length), text)).toBe(0);
});

it('refuses what is damaged, cut off or of another length, and goes on with the next frame', () => {
  const packed = Buffer.from(zstdCompressSync(text));
  const damaged = Buffer.from(packed);
  damaged[0] = 0;
  const target = new Uint8Array(text.length);
  const refused = [
    () => zstdDecompress(damaged, target),
    () => zstdDecompress(packed.subarray(0, -4), target),
    () => zstdDecompress(packed, target.subarray(1)),
    () => zstdDecompress(packed, new Uint8Array(text.length + 1)),
  ];
  for (const attempt of refused) {
    expect(attempt).toThrow(RangeError);
    zstdDecompress(packed, target);
    expect(Buffer.compare(target, text)).toBe(0);
  }
});
