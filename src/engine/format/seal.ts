import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { FORMAT_VERSION, SUITE_AES256GCM_BLAKE3, type ObjectKind } from './header.ts';
import { idBytes, type ObjectId } from './ids.ts';

export const TAG_BYTES = 16;
const NONCE_BYTES = 12;
const AAD_BYTES = 80;

/** Where a sealed piece belongs; part of its associated data, so that it opens nowhere else. */
export interface SealContext {
  /** 32 hex digits. */
  readonly repositoryId: string;
  readonly kind: ObjectKind;
  readonly generation: number;
  readonly objectId: ObjectId;
}

/** What a sealed piece says it is; the rest of its associated data. */
export interface SealedPiece {
  /** Of frames: counted from 0, and the nonce. Of a table: how many frames stand before it. */
  readonly ordinal: number;
  readonly codec: number;
  readonly rawBytes: number;
  /** 32 bytes; zeros for a table. */
  readonly digest: Uint8Array;
}

/** Seals the pieces of one object. Its two keys are used for nothing else, so that the ordinal is nonce enough. */
export class Sealer {
  readonly #aad = Buffer.alloc(AAD_BYTES);
  readonly #nonce = Buffer.alloc(NONCE_BYTES);
  /** Bytes would be made one of these for each piece, which takes longer than opening a small one. */
  readonly #key: KeyObject;

  constructor(key: Uint8Array, context: SealContext) {
    this.#key = createSecretKey(key);
    this.#aad.set([SUITE_AES256GCM_BLAKE3, context.kind, 0, FORMAT_VERSION]);
    this.#aad.writeUInt32LE(context.generation, 4);
    idBytes(context.repositoryId).copy(this.#aad, 8);
    idBytes(context.objectId).copy(this.#aad, 24);
  }

  /** Writes ciphertext and tag to `target` at `at`; returns how many bytes that took. */
  seal(piece: SealedPiece, plain: Uint8Array, target: Uint8Array, at: number): number {
    this.#describe(piece);
    const cipher = createCipheriv('aes-256-gcm', this.#key, this.#nonce);
    cipher.setAAD(this.#aad);
    const body = cipher.update(plain);
    cipher.final();
    const end = at + body.length;
    target.set(body, at);
    target.set(cipher.getAuthTag(), end);
    freeAtOnce(body);
    return end + TAG_BYTES - at;
  }

  /** Throws what node:crypto throws if one bit of piece, place or key is another. */
  open(piece: SealedPiece, sealed: Uint8Array): Buffer {
    this.#describe(piece);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, this.#nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(this.#aad);
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    const plain = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
    decipher.final();
    return plain;
  }

  #describe(piece: SealedPiece): void {
    this.#aad.writeUInt8(piece.codec, 2);
    this.#aad.writeUInt32LE(piece.ordinal, 40);
    this.#aad.writeUInt32LE(piece.rawBytes, 44);
    this.#aad.set(piece.digest, 48);
    this.#nonce.writeUInt32LE(piece.ordinal, 0);
  }
}

/**
 * Gives the memory of a piece back that nobody needs any more. Node allocates each piece anew outside of the heap, where
 * it stays until the heap is swept: by then its pages are cold, and fresh ones were touched for the next pieces.
 */
export function freeAtOnce(piece: Uint8Array): void {
  const { buffer } = piece;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === piece.length) {
    buffer.transfer(0);
  }
}
