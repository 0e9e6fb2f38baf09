import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

export const CODEC_RAW = 0;
export const CODEC_ZSTD = 1;

const PROBE_BYTES = 4096;
const PROBE_STRIDES = 16;
/** Bits a byte, of a 4 KiB sample: random bytes measure about 7.95, packed executables and text far less. */
const INCOMPRESSIBLE_BITS = 7.9;
const WORTHWHILE = 0.95;

export interface Compressed {
  readonly codec: number;
  readonly data: Uint8Array;
}

/** zstd level 1, or the data itself where that saves less than 5 %. */
export function compress(data: Uint8Array): Compressed {
  if (data.length > PROBE_BYTES && looksRandom(data)) {
    return { codec: CODEC_RAW, data };
  }
  const packed = zstdCompressSync(data, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  return packed.length < data.length * WORTHWHILE ? { codec: CODEC_ZSTD, data: packed } : { codec: CODEC_RAW, data };
}

/** Throws if the data is not what `compress` made of `rawBytes` bytes. */
export function decompress(codec: number, data: Uint8Array, rawBytes: number): Uint8Array {
  const raw = codec === CODEC_ZSTD ? zstdDecompressSync(data, { maxOutputLength: Math.max(rawBytes, 1) }) : data;
  if ((codec !== CODEC_ZSTD && codec !== CODEC_RAW) || raw.length !== rawBytes) {
    throw new RangeError(`codec ${codec} gave ${raw.length} bytes, not ${rawBytes}`);
  }
  return raw;
}

function looksRandom(data: Uint8Array): boolean {
  const counts = new Uint16Array(256);
  const run = PROBE_BYTES / PROBE_STRIDES;
  const stride = Math.floor((data.length - run) / (PROBE_STRIDES - 1));
  for (let i = 0; i < PROBE_STRIDES; i += 1) {
    for (let at = i * stride; at < i * stride + run; at += 1) {
      const byte = data[at] ?? 0;
      counts[byte] = (counts[byte] ?? 0) + 1;
    }
  }
  let bits = 0;
  for (const count of counts) {
    bits -= count === 0 ? 0 : (count / PROBE_BYTES) * Math.log2(count / PROBE_BYTES);
  }
  return bits >= INCOMPRESSIBLE_BITS;
}
