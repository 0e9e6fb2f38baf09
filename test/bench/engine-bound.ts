import { createCipheriv } from 'node:crypto';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { Blake3Hasher } from '@napi-rs/blake-hash';
import { BLOCK_BYTES, BlockHasher, HASHER_RESERVED_BYTES } from '../../src/engine/chunking/block-hasher.ts';
import { allocateSharedMemory } from '../../src/engine/chunking/web-assembly.ts';
import { KIB, MIB } from '../../src/kernel/bytes.ts';

const SAMPLE_BYTES = 96 * MIB;
const CHUNK_BYTES = 192 * KIB;
const KEY = Buffer.alloc(32, 1);

/** Seconds of one core for each byte of the image, by primitive; writing is for each byte of the image too. */
export interface PrimitiveCosts {
  readonly read: number;
  readonly blockHash: number;
  readonly digest: number;
  readonly compress: number;
  readonly seal: number;
  readonly write: number;
  readonly decompress: number;
}

/** Each primitive by itself, over a sample of the image, zeros left out as the engine leaves them out. */
export async function measurePrimitives(image: string, folder: string): Promise<PrimitiveCosts> {
  const { data, read } = await readSample(image);
  const chunks = toChunks(data);
  const blockHash = hashBlocks(data);
  const stored = chunks.filter((chunk) => chunk.some((byte) => byte !== 0));
  const digest = timed(() => stored.forEach((chunk) => Blake3Hasher.newKeyed(KEY).update(chunk).digestBuffer()));
  const packed: Buffer[] = [];
  const compress = timed(() => {
    for (const chunk of stored) {
      packed.push(zstdCompressSync(chunk, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }));
    }
  });
  const decompress = timed(() => packed.forEach((chunk) => zstdDecompressSync(chunk)));
  const seal = timed(() => {
    for (const chunk of packed) {
      const cipher = createCipheriv('aes-256-gcm', KEY, Buffer.alloc(12));
      cipher.update(chunk);
      cipher.final();
    }
  });
  const write = await writeOut(join(folder, 'bound'), packed);
  const per = (seconds: number): number => seconds / data.length;
  return {
    read: per(read),
    blockHash: per(blockHash),
    digest: per(digest),
    compress: per(compress),
    seal: per(seal),
    write: per(write),
    decompress: per(decompress),
  };
}

async function readSample(image: string): Promise<{ data: Buffer; read: number }> {
  const file = await open(image, 'r');
  try {
    const { size } = await file.stat();
    const data = Buffer.alloc(Math.min(size, SAMPLE_BYTES));
    await readAll(file, data);
    const start = performance.now();
    await readAll(file, data);
    return { data, read: (performance.now() - start) / 1000 };
  } finally {
    await file.close();
  }
}

async function readAll(file: FileHandle, into: Buffer): Promise<void> {
  for (let at = 0; at < into.length; at += MIB) {
    await file.read(into, at, Math.min(MIB, into.length - at), at);
  }
}

function toChunks(data: Buffer): Buffer[] {
  const count = Math.ceil(data.length / CHUNK_BYTES);
  return Array.from({ length: count }, (_, i) => data.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES));
}

function hashBlocks(data: Buffer): number {
  const blocks = data.length / BLOCK_BYTES;
  const dataAt = HASHER_RESERVED_BYTES + blocks * 8 + BLOCK_BYTES;
  const memory = allocateSharedMemory(dataAt + data.length);
  const hasher = new BlockHasher(memory, KEY);
  new Uint8Array(memory.buffer, dataAt, data.length).set(data);
  hasher.hash(dataAt, blocks, HASHER_RESERVED_BYTES);
  return timed(() => hasher.hash(dataAt, blocks, HASHER_RESERVED_BYTES));
}

async function writeOut(path: string, pieces: readonly Buffer[]): Promise<number> {
  const data = Buffer.concat(pieces);
  const file = await open(path, 'w');
  try {
    const start = performance.now();
    await file.write(data);
    await file.datasync();
    return (performance.now() - start) / 1000;
  } finally {
    await file.close();
    await unlink(path);
  }
}

/** Seconds. */
function timed(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}
