import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM of a key under another; `label` says what it is and is authenticated. Version, nonce, ciphertext, tag. */
export function wrapKey(wrapping: Uint8Array, key: Uint8Array, label: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', wrapping, nonce);
  cipher.setAAD(Buffer.from(label, 'utf8'));
  return Buffer.concat([Buffer.from([VERSION]), nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
}

/** Throws what node:crypto throws if the wrapping key, the label or a bit is another. */
export function unwrapKey(wrapping: Uint8Array, wrapped: Uint8Array, label: string): Uint8Array {
  if (wrapped[0] !== VERSION || wrapped.length <= 1 + NONCE_BYTES + TAG_BYTES) {
    throw new RangeError(`not a wrapped key: ${label}`);
  }
  const end = wrapped.length - TAG_BYTES;
  const nonce = wrapped.subarray(1, 1 + NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', wrapping, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(label, 'utf8'));
  decipher.setAuthTag(wrapped.subarray(end));
  return new Uint8Array(Buffer.concat([decipher.update(wrapped.subarray(1 + NONCE_BYTES, end)), decipher.final()]));
}
