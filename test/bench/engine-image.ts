import { open } from 'node:fs/promises';
import { KIB, MIB } from '../../src/kernel/bytes.ts';

const PIECE_BYTES = 64 * KIB;
const POOL_BYTES = 32 * MIB;
/** Of each hundred pieces: as a system disk that is three quarters full. */
const ZEROS_OF_100 = 23;
const NOISE_OF_100 = 12;

/** Numbers from a seed, the same on every machine (xorshift of 32 bits). */
export function numbersFrom(seed: number): (below: number) => number {
  let state = seed === 0 ? 1 : seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Words that compress about as text does. */
function makeText(next: (below: number) => number): Buffer {
  const words = Array.from({ length: 4000 }, () =>
    next(2 ** 31)
      .toString(36)
      .slice(0, 2 + next(7)),
  );
  const pool = Buffer.alloc(POOL_BYTES);
  for (let at = 0; at < POOL_BYTES;) {
    at += pool.write(`${words[Math.min(next(4000), next(4000))] ?? ''} `, at, 'latin1');
  }
  return pool;
}

function makeNoise(next: (below: number) => number): Buffer {
  const pool = Buffer.alloc(POOL_BYTES);
  for (let at = 0; at < POOL_BYTES; at += 4) {
    pool.writeUInt32LE(next(2 ** 32), at);
  }
  return pool;
}

/** A disk image of text, noise and zeros, the same for the same seed. */
export async function writeImage(path: string, sizeBytes: number, seed: number): Promise<void> {
  const next = numbersFrom(seed);
  const text = makeText(next);
  const noise = makeNoise(next);
  const file = await open(path, 'w');
  try {
    for (let at = 0; at < sizeBytes; at += PIECE_BYTES) {
      const kind = next(100);
      const pool = kind < ZEROS_OF_100 + NOISE_OF_100 ? noise : text;
      const from = next(POOL_BYTES - PIECE_BYTES);
      const piece = kind < ZEROS_OF_100 ? Buffer.alloc(PIECE_BYTES) : pool.subarray(from, from + PIECE_BYTES);
      await file.write(piece, 0, PIECE_BYTES, at);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}
