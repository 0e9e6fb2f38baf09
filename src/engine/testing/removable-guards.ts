import type * as Crypto from 'node:crypto';
import type * as Digests from '../keys/digest.ts';

/**
 * What of the format can be taken away, from who seals and from who opens; of the associated data, from which byte to
 * which.
 */
const GUARDS = {
  'kind in the associated data': [1, 2],
  'generation in the associated data': [4, 8],
  'repository in the associated data': [8, 24],
  'object in the associated data': [24, 40],
  'ordinal in the associated data': [40, 44],
  'digest in the associated data': [48, 80],
  'ordinal in the nonce': null,
  'kind in the object’s key': null,
  'id in the object’s key': null,
  'salt in the object’s key': null,
  'repository in the root': null,
  'repository key in the root': null,
  'digest of the content': null,
} as const;
export type Guard = keyof typeof GUARDS;

/** Those that are missing at the moment. */
export const removed = new Set<Guard>();

/** Ciphers and derived keys that lack what was removed. */
export function weakenCrypto(real: typeof Crypto): object {
  const mask = (aad: Uint8Array): Buffer => {
    const left = Buffer.from(aad);
    for (const [guard, range] of Object.entries(GUARDS)) {
      if (range !== null && removed.has(guard as Guard)) {
        left.fill(0, ...range);
      }
    }
    return left;
  };
  const nonce = (iv: Uint8Array): Uint8Array => (removed.has('ordinal in the nonce') ? new Uint8Array(12) : iv);
  const weaken = <T extends { setAAD(aad: Buffer): unknown }>(cipher: T): T => {
    const setAAD = cipher.setAAD.bind(cipher);
    cipher.setAAD = (aad) => setAAD(mask(aad));
    return cipher;
  };
  const hkdfSync = (
    hash: string,
    key: Uint8Array,
    salt: Uint8Array,
    info: string | Uint8Array,
    bytes: number,
  ): ArrayBuffer => {
    const text = Buffer.from(info as Uint8Array);
    const none = (guard: Guard, datum: Uint8Array): Uint8Array =>
      removed.has(guard) ? new Uint8Array(datum.length) : datum;
    if (text.toString() === 'holdfast objects 1') {
      return real.hkdfSync(
        hash,
        none('repository key in the root', key),
        none('repository in the root', salt),
        text,
        bytes,
      );
    }
    if (text.length === 35) {
      const kind = none('kind in the object’s key', text.subarray(18, 19));
      const rest = Buffer.concat([text.subarray(0, 18), kind, none('id in the object’s key', text.subarray(19))]);
      return real.hkdfSync(hash, key, none('salt in the object’s key', salt), rest, bytes);
    }
    return real.hkdfSync(hash, key, salt, text, bytes);
  };
  return {
    ...real,
    hkdfSync,
    createCipheriv: (name: 'aes-256-gcm', key: Uint8Array, iv: Uint8Array) =>
      weaken(real.createCipheriv(name, key, nonce(iv))),
    createDecipheriv: (name: 'aes-256-gcm', key: Uint8Array, iv: Uint8Array, options: Crypto.CipherGCMOptions) =>
      weaken(real.createDecipheriv(name, key, nonce(iv), options)),
  };
}

/** Digests of content that agree with every other, where the one of the content was removed. */
export function weakenDigests(real: typeof Digests): object {
  return {
    ...real,
    keyedDigest: (key: Uint8Array, ...parts: readonly Uint8Array[]) => {
      const digest = real.keyedDigest(key, ...parts);
      return removed.has('digest of the content') ? Object.assign(digest, { equals: () => true }) : digest;
    },
  };
}
