import { zstdCompress, zstdDecompress } from './zstd.ts';

export const CODEC_RAW = 0;
const CODEC_ZSTD = 1;

const PROBE_BYTES = 4096;
const PROBE_STRIDES = 16;
/** Bits a byte, of a 4 KiB sample: random bytes measure about 7.95, packed executables and text far less. */
const INCOMPRESSIBLE_BITS = 7.9;
const WORTHWHILE = 0.95;

export interface Compressed {
  readonly codec: number;
  readonly data: Uint8Array;
}

/** Whether the last chunk was not worth compressing: what lies beside it is often of the same kind. */
let isSuspicious = false;

/**
 * zstd level 1, or the data itself where that saves less than 5 %. What is returned is only valid until the next call.
 * Only next to chunks that did not compress is it worth a look whether this one is random: zstd itself is quick to find
 * out, though not as quick.
 */
export function compress(data: Uint8Array): Compressed {
  if (isSuspicious && data.length > PROBE_BYTES && looksRandom(data)) {
    return { codec: CODEC_RAW, data };
  }
  const packed = zstdCompress(data);
  isSuspicious = packed.length >= data.length * WORTHWHILE;
  return isSuspicious ? { codec: CODEC_RAW, data } : { codec: CODEC_ZSTD, data: packed };
}

/** Fills `target`. Throws if the data is not what `compress` made of as many bytes. */
export function decompress(codec: number, data: Uint8Array, target: Uint8Array): void {
  if (codec === CODEC_ZSTD) {
    zstdDecompress(data, target);
    return;
  }
  if (codec !== CODEC_RAW || data.length !== target.length) {
    throw new RangeError(`codec ${codec} gave ${data.length} bytes, not ${target.length}`);
  }
  target.set(data);
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
