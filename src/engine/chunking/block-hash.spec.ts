import { hkdfSync, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { buildBlockHash } from '../../../scripts/build-wasm.ts';
import { BLOCK_BYTES, BlockHasher, HASHER_RESERVED_BYTES } from './block-hasher.ts';
import { BLOCK_HASH_WASM } from './generated/block-hash.ts';
import { allocateSharedMemory } from './web-assembly.ts';

const SEED = Buffer.alloc(32, 9);
const OUT = HASHER_RESERVED_BYTES;
const DATA = 65_536;

function hashes(blocks: readonly Uint8Array[], seed = SEED): bigint[] {
  const memory = allocateSharedMemory(DATA + blocks.length * BLOCK_BYTES);
  const hasher = new BlockHasher(memory, seed);
  blocks.forEach((block, i) => new Uint8Array(memory.buffer, DATA + i * BLOCK_BYTES, BLOCK_BYTES).set(block));
  hasher.hash(DATA, blocks.length, OUT);
  return [...new BigUint64Array(memory.buffer, OUT, blocks.length)];
}

test('the committed WebAssembly is what its source compiles to', async () => {
  expect(await buildBlockHash()).toBe(BLOCK_HASH_WASM);
});

test('a block of zeros hashes to zero, and one bit anywhere makes it something else', () => {
  const flipped = Array.from({ length: BLOCK_BYTES * 8 }, (_, bit) => {
    const block = new Uint8Array(BLOCK_BYTES);
    block[bit >> 3] = 1 << (bit & 7);
    return block;
  });
  const [zero, ...others] = hashes([new Uint8Array(BLOCK_BYTES), ...flipped]);
  expect(zero).toBe(0n);
  expect(new Set(others).size).toBe(flipped.length);
  expect(others).not.toContain(0n);
});

test('the hash depends on the seed, and on nothing else but the block', () => {
  const block = randomBytes(BLOCK_BYTES);
  const [first, , second] = hashes([block, randomBytes(BLOCK_BYTES), block]);
  expect(first).toBe(second);
  expect(hashes([block], Buffer.alloc(32, 8))[0]).not.toBe(first);
});

const MASK = 2n ** 64n - 1n;

/** As docs/vault-format.md has it. */
function hashPlainly(block: Buffer): bigint {
  const keys = Buffer.from(hkdfSync('sha256', SEED, new Uint8Array(0), 'holdfast block hash 1', 32 + BLOCK_BYTES));
  const [m1 = 0n, m2 = 0n, m3 = 0n] = [0, 8, 16].map((at) => keys.readBigUInt64LE(at) | 1n);
  const sums: [bigint, bigint] = [0n, 0n];
  const term = (word: number): bigint =>
    BigInt((block.readUInt32LE(4 * word) + keys.readUInt32LE(32 + 4 * word)) >>> 0);
  for (let i = 0; i < BLOCK_BYTES / 4; i += 8) {
    for (let j = 0; j < 4; j += 1) {
      sums[j % 2 === 0 ? 0 : 1] += term(i + j) * term(i + j + 4);
    }
  }
  const [a, b] = [sums[0] & MASK, sums[1] & MASK];
  const rotated = ((b << 32n) | (b >> 32n)) & MASK;
  let hash = (a * m1 + rotated * m2) & MASK;
  hash = ((hash ^ (hash >> 32n)) * m3) & MASK;
  return (hash ^ (hash >> 29n)) | 1n;
}

test('the hash is the one that is written down', () => {
  const blocks = Array.from({ length: 20 }, () => randomBytes(BLOCK_BYTES));
  expect(hashes(blocks)).toEqual(blocks.map(hashPlainly));
});

test('cuts come about as often as the threshold says', () => {
  const words = hashes(Array.from({ length: 4096 }, () => randomBytes(BLOCK_BYTES))).map((hash) => Number(hash >> 32n));
  const cuts = words.filter((word) => word < 2 ** 32 / 32).length;
  expect(cuts).toBeGreaterThan(64);
  expect(cuts).toBeLessThan(256);
});
