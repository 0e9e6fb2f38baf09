import { Blake3Hasher, blake3 } from '@napi-rs/blake-hash';

export const DIGEST_BYTES = 32;
/** Of a digest, as much as indexes and manifests hold. */
export const SHORT_DIGEST_BYTES = 16;

export function keyedDigest(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const hasher = Blake3Hasher.newKeyed(asBuffer(key));
  for (const part of parts) {
    hasher.update(asBuffer(part));
  }
  return hasher.digestBuffer();
}

/** BLAKE3 without a key: what anybody who holds a copy can check. */
export function plainDigest(data: Uint8Array): Buffer {
  return blake3(asBuffer(data));
}

/** The same memory. */
function asBuffer(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
