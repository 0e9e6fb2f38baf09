import { hkdfSync } from 'node:crypto';
import { BLOCK_HASH_WASM } from './generated/block-hash.ts';
import { WebAssembly, type SharedMemory } from './web-assembly.ts';

/** The only block size of format 1: the key table is as long as a block. */
export const BLOCK_BYTES = 4096;
const KEY_BYTES = 32 + BLOCK_BYTES;
/** Reserved at the start of a hasher's memory for its keys. */
export const HASHER_RESERVED_BYTES = 8192;
export const HASH_BYTES = 8;

type HashBlocks = (keys: number, data: number, blocks: number, blockBytes: number, out: number) => void;

/** Keyed 64-bit hashes of 4 KiB blocks that lie in a WebAssembly memory; 0 marks a block of zeros. */
export class BlockHasher {
  readonly #hashBlocks: HashBlocks;

  /** `chunkSeed`: 32 secret bytes; without them nobody can tell where a disk will be cut. */
  constructor(memory: SharedMemory, chunkSeed: Uint8Array) {
    const module = new WebAssembly.Module(Buffer.from(BLOCK_HASH_WASM, 'base64'));
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    this.#hashBlocks = exports['hashBlocks'] as HashBlocks;
    const keys = hkdfSync('sha256', chunkSeed, new Uint8Array(0), 'holdfast block hash 1', KEY_BYTES);
    new Uint8Array(memory.buffer, 0, KEY_BYTES).set(new Uint8Array(keys));
  }

  /** Byte offsets into the memory; writes `HASH_BYTES` for each block to `out`. */
  hash(data: number, blocks: number, out: number): void {
    this.#hashBlocks(0, data, blocks, BLOCK_BYTES, out);
  }
}
