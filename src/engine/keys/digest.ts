import { Blake3Hasher, blake3 } from '@napi-rs/blake-hash';

export const DIGEST_BYTES = 32;
/** Of a digest, as much as indexes and manifests hold. */
export const SHORT_DIGEST_BYTES = 16;

export function keyedDigest(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const hasher = Blake3Hasher.newKeyed(Buffer.from(key.buffer, key.byteOffset, key.byteLength));
  for (const part of parts) {
    hasher.update(part);
  }
  return hasher.digestBuffer();
}

/** BLAKE3 without a key: what anybody who holds a copy can check. */
export function plainDigest(data: Uint8Array): Buffer {
  return blake3(data);
}
