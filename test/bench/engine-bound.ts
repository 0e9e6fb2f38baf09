import { createCipheriv, createDecipheriv } from 'node:crypto';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { blake3, Blake3Hasher } from '@napi-rs/blake-hash';
import { BLOCK_BYTES, BlockHasher, HASHER_RESERVED_BYTES } from '../../src/engine/chunking/block-hasher.ts';
import { allocateSharedMemory } from '../../src/engine/chunking/web-assembly.ts';
import { zstdCompress, zstdDecompress } from '../../src/engine/format/zstd.ts';
import { KIB, MIB } from '../../src/kernel/bytes.ts';

const PIECES = 24;
const PIECE_BYTES = 4 * MIB;
const CHUNK_BYTES = 128 * KIB;
const KEY = Buffer.alloc(32, 1);
const NONCE = Buffer.alloc(12);

/** Seconds of one core's work for each byte of the image, by primitive. */
export interface PrimitiveCosts {
  readonly read: number;
  readonly blockHash: number;
  readonly digest: number;
  readonly compress: number;
  readonly seal: number;
  /** The keyless hash of what is stored. */
  readonly plainHash: number;
  readonly write: number;
  readonly readStored: number;
  readonly open: number;
  readonly decompress: number;
  /** Stored bytes for each byte of the image; not a cost. */
  readonly storedShare: number;
}

/** Each primitive by itself, over pieces from all over the image, zeros left out as the engine leaves them out. */
export async function measurePrimitives(image: string, folder: string): Promise<PrimitiveCosts> {
  const { data, read } = await readSample(image);
  const chunks = toChunks(data);
  const blockHash = hashBlocks(data);
  const stored = chunks.filter((chunk) => chunk.some((byte) => byte !== 0));
  const digest = timed(() => stored.forEach((chunk) => Blake3Hasher.newKeyed(KEY).update(chunk).digestBuffer()));
  const compress = timed(() => stored.forEach((chunk) => void zstdCompress(chunk)));
  const packed = stored.map((chunk) => Buffer.from(zstdCompress(chunk)));
  const raw = new Uint8Array(CHUNK_BYTES);
  const decompress = timed(() =>
    packed.forEach((chunk, i) => zstdDecompress(chunk, raw.subarray(0, stored[i]?.length))),
  );
  const sealed = packed.map(seal);
  const pack = Buffer.concat(packed);
  const io = await writeAndRead(join(folder, 'bound'), pack);
  const per = (seconds: number): number => seconds / data.length;
  return {
    read: per(read),
    blockHash: per(blockHash),
    digest: per(digest),
    compress: per(compress),
    seal: per(timed(() => packed.forEach((chunk) => void seal(chunk)))),
    plainHash: per(timed(() => void blake3(pack))),
    write: per(io.write),
    readStored: per(io.read),
    open: per(timed(() => sealed.forEach(unseal))),
    decompress: per(decompress),
    storedShare: pack.length / data.length,
  };
}

interface Sealed {
  readonly body: Buffer;
  readonly tag: Buffer;
}

function seal(chunk: Uint8Array): Sealed {
  const cipher = createCipheriv('aes-256-gcm', KEY, NONCE);
  const body = cipher.update(chunk);
  cipher.final();
  return { body, tag: cipher.getAuthTag() };
}

function unseal({ body, tag }: Sealed): void {
  const decipher = createDecipheriv('aes-256-gcm', KEY, NONCE, { authTagLength: 16 });
  decipher.setAuthTag(tag);
  decipher.update(body);
  decipher.final();
}

async function readSample(image: string): Promise<{ data: Buffer; read: number }> {
  const file = await open(image, 'r');
  try {
    const { size } = await file.stat();
    const pieces = Math.min(PIECES, Math.floor(size / PIECE_BYTES));
    const step = Math.floor(size / pieces / BLOCK_BYTES) * BLOCK_BYTES;
    const data = Buffer.alloc(pieces * PIECE_BYTES);
    await readPieces(file, data, step);
    return { data, read: await timedSystem(() => readPieces(file, data, step)) };
  } finally {
    await file.close();
  }
}

async function readPieces(file: FileHandle, into: Buffer, step: number): Promise<void> {
  for (let at = 0; at < into.length; at += MIB) {
    await file.read(into, at, MIB, Math.floor(at / PIECE_BYTES) * step + (at % PIECE_BYTES));
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

async function writeAndRead(path: string, data: Buffer): Promise<{ write: number; read: number }> {
  const file = await open(path, 'w+');
  try {
    const write = await timedSystem(async () => {
      await file.write(data);
      await file.datasync();
    });
    return { write, read: await timedSystem(async () => void (await file.read(data, 0, data.length, 0))) };
  } finally {
    await file.close();
    await unlink(path);
  }
}

/** Processor seconds of this thread. */
function timed(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1e6;
}

/** Processor seconds of all threads: for what happens on others. */
async function timedSystem(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
