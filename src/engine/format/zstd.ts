import {
  constants,
  createZstdCompress,
  createZstdDecompress,
  zstdCompressSync,
  zstdDecompressSync,
  type ZstdCompress,
  type ZstdDecompress,
} from 'node:zlib';

const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/**
 * The binding behind Node's zstd streams, as far as it is used here. It isn't documented, but nothing else keeps one
 * context for many chunks and takes memory for the outcome: making a context for each chunk costs a fifth of the time
 * of compressing and two fifths of decompressing (`docs/vault-performance.md`). Where a Node has none such, the
 * documented calls are used.
 */
interface ZstdBinding {
  writeSync(flush: number, from: Uint8Array, fromAt: number, fromBytes: number, ...to: ZstdTarget): void;
}

type ZstdTarget = [to: Uint8Array, toAt: number, toBytes: number];

interface OpenStream {
  readonly stream: ZstdCompress | ZstdDecompress;
  readonly binding: ZstdBinding;
  /** After a call: bytes left in the target, bytes left in the source. */
  readonly left: Uint32Array;
}

/** One context, used frame after frame; what fails begins with a new one. */
class ZstdContext {
  readonly #make: () => ZstdCompress | ZstdDecompress;
  #open: OpenStream | null = null;

  constructor(make: () => ZstdCompress | ZstdDecompress) {
    this.#make = make;
  }

  /** One whole frame from `from` to `to`: how many bytes of `to` it takes; null if it does not fit or is none. */
  run(from: Uint8Array, to: Uint8Array): number | null {
    this.#open ??= openStream(this.#make());
    const { stream, binding, left } = this.#open;
    binding.writeSync(constants.ZSTD_e_end, from, 0, from.length, to, 0, to.length);
    const [toLeft = 0, fromLeft = 0] = left;
    // zstd keeps a byte of the source back as long as something of the outcome has found no room.
    if (stream.destroyed || fromLeft > 0) {
      stream.destroy();
      this.#open = null;
      return null;
    }
    return to.length - toLeft;
  }
}

function openStream(stream: ZstdCompress | ZstdDecompress): OpenStream {
  const binding: unknown = Reflect.get(stream, '_handle');
  const left: unknown = Reflect.get(stream, '_writeState');
  if (!isBinding(binding) || !(left instanceof Uint32Array)) {
    throw new TypeError('zstd streams of this Node have another binding');
  }
  stream.on('error', () => undefined); // the stream is destroyed by then, which says it sooner
  return { stream, binding, left };
}

function isBinding(binding: unknown): binding is ZstdBinding {
  return typeof binding === 'object' && binding !== null && 'writeSync' in binding;
}

/** Whether a frame comes out of this Node's binding as it went in; asked once. */
function works(): boolean {
  try {
    const probe = Buffer.from('a frame that is here to be repeated, here to be repeated');
    const packed = new Uint8Array(compressBound(probe.length));
    const bytes = compressing.run(probe, packed);
    const raw = new Uint8Array(probe.length);
    return (
      bytes !== null &&
      decompressing.run(packed.subarray(0, bytes), raw) === raw.length &&
      Buffer.compare(raw, probe) === 0
    );
  } catch {
    return false; // another Node: it has the documented calls all the same
  }
}

const compressing = new ZstdContext(() => createZstdCompress(LEVEL));
const decompressing = new ZstdContext(() => createZstdDecompress());
let isKept: boolean | null = null;
let scratch = new Uint8Array(0);

/** With room for so much zstd writes a frame at once, without a buffer of its own between. */
function compressBound(rawBytes: number): number {
  return rawBytes + (rawBytes >>> 8) + 512;
}

/** A frame of level 1. What is returned is overwritten by the next call. */
export function zstdCompress(raw: Uint8Array): Uint8Array {
  isKept ??= works();
  if (isKept) {
    const bound = compressBound(raw.length);
    if (scratch.length < bound) {
      scratch = new Uint8Array(bound);
    }
    const bytes = compressing.run(raw, scratch);
    if (bytes !== null) {
      return scratch.subarray(0, bytes);
    }
  }
  return zstdCompressSync(raw, { ...LEVEL, chunkSize: Math.max(64, compressBound(raw.length)) });
}

/** Fills `target` from a frame of exactly as many bytes; RangeError if it is damaged or has more or fewer. */
export function zstdDecompress(packed: Uint8Array, target: Uint8Array): void {
  isKept ??= works();
  const bytes = isKept && target.length > 0 ? decompressing.run(packed, target) : copyFrom(packed, target);
  if (bytes !== target.length) {
    throw new RangeError(`a zstd frame does not give ${target.length} bytes`);
  }
}

function copyFrom(packed: Uint8Array, target: Uint8Array): number {
  const raw = zstdDecompressSync(packed, { maxOutputLength: Math.max(target.length, 1) });
  target.set(raw);
  return raw.length;
}
