import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { AppError } from '../../kernel/errors.ts';

const FORMAT = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Seals small things with the control plane's key: AES-256-GCM, bound to a text that must be the same when opened. */
export class Sealer {
  readonly #key: Buffer;

  /** Each use has a key of its own, derived from the key file's by HKDF-SHA-256. */
  constructor(fileKey: Buffer, use: 'secrets' | 'cursors') {
    this.#key = Buffer.from(hkdfSync('sha256', fileKey, '', `holdfast/${use}/1`, 32));
  }

  /** Format byte, 12 bytes of nonce, ciphertext, 16 bytes of tag. */
  seal(plain: Buffer, boundTo: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: TAG_BYTES }).setAAD(
      Buffer.from(boundTo),
    );
    return Buffer.concat([Buffer.of(FORMAT), nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** Null where it was sealed with another key, bound to something else, or damaged. */
  open(sealed: Buffer, boundTo: string): Buffer | null {
    if (sealed.length < 1 + NONCE_BYTES + TAG_BYTES || sealed[0] !== FORMAT) {
      return null;
    }
    const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
    const tag = sealed.subarray(-TAG_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(boundTo)).setAuthTag(tag);
    try {
      return Buffer.concat([decipher.update(sealed.subarray(1 + NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch {
      return null; // the tag did not match: the caller says what that means
    }
  }
}

export type SecretPurpose = 'POOL_PASSWORD' | 'WEBHOOK_SECRET' | 'STORAGE_CREDENTIAL';

/** Where a sealed secret belongs: a copy into another row, or for another use, doesn't open. */
export interface SecretPlace {
  readonly tenantId: string;
  readonly secretId: string;
  readonly purpose: SecretPurpose;
}

/** Seals and opens the rows of `app.secret`. */
export class SecretBox {
  readonly #sealer: Sealer;

  constructor(fileKey: Buffer) {
    this.#sealer = new Sealer(fileKey, 'secrets');
  }

  seal(secret: string, place: SecretPlace): Buffer {
    return this.#sealer.seal(Buffer.from(secret), boundTo(place));
  }

  /** Throws KEY_MISSING where this key didn't seal it for this place. */
  open(sealed: Buffer, place: SecretPlace): string {
    const plain = this.#sealer.open(sealed, boundTo(place));
    if (plain === null) {
      throw new AppError('KEY_MISSING', `The stored ${place.purpose} can't be opened with the control plane's key.`, {
        hint: 'Bring the control plane’s key file back, or enter the credential anew.',
      });
    }
    return plain.toString();
  }
}

function boundTo({ tenantId, secretId, purpose }: SecretPlace): string {
  return `${tenantId}|${secretId}|${purpose}`;
}
