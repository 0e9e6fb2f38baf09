import { open, type FileHandle } from 'node:fs/promises';
import { MIB } from '../../../../src/kernel/bytes.ts';

const PIECE_BYTES = 8 * MIB;

/** The numbers of the blocks in which two images of one size differ. */
export async function compareImages(one: string, other: string, blockBytes: number): Promise<number[]> {
  const a = await open(one, 'r');
  const b = await open(other, 'r');
  try {
    const { size } = await a.stat();
    const ours = Buffer.alloc(PIECE_BYTES);
    const theirs = Buffer.alloc(PIECE_BYTES);
    const differing: number[] = [];
    for (let at = 0; at < size; at += PIECE_BYTES) {
      const bytes = Math.min(PIECE_BYTES, size - at);
      await Promise.all([fill(a, ours, at, bytes), fill(b, theirs, at, bytes)]);
      const within = differingBlocks(ours.subarray(0, bytes), theirs.subarray(0, bytes), blockBytes);
      differing.push(...within.map((block) => at / blockBytes + block));
    }
    return differing;
  } finally {
    await a.close();
    await b.close();
  }
}

function differingBlocks(ours: Buffer, theirs: Buffer, blockBytes: number): number[] {
  const blocks = Array.from({ length: Math.ceil(ours.length / blockBytes) }, (_, block) => block);
  return blocks.filter((block) => {
    const start = block * blockBytes;
    return !ours.subarray(start, start + blockBytes).equals(theirs.subarray(start, start + blockBytes));
  });
}

async function fill(file: FileHandle, into: Buffer, from: number, bytes: number): Promise<void> {
  for (let at = 0; at < bytes;) {
    const { bytesRead } = await file.read(into, at, bytes - at, from + at);
    if (bytesRead === 0) {
      throw new Error('an image is shorter than it was');
    }
    at += bytesRead;
  }
}
