import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const PREFIX = 'hf_live_';
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SECRET_BYTES = 32;
/** Enough base-62 digits for 32 bytes, and for a CRC-32. */
const SECRET_CHARS = 43;
const CHECKSUM_CHARS = 6;
const FORM = new RegExp(`^${PREFIX}[0-9A-Za-z]{${SECRET_CHARS + CHECKSUM_CHARS}}$`);

/** `hf_live_`, 43 characters of secret, 6 of checksum, by which scanners tell a token from a look-alike. */
export function newApiToken(): string {
  const secret = toBase62(BigInt(`0x${randomBytes(SECRET_BYTES).toString('hex')}`), SECRET_CHARS);
  return PREFIX + secret + checksumOf(secret);
}

export function looksLikeApiToken(text: string): boolean {
  if (!FORM.test(text)) {
    return false;
  }
  const secret = text.slice(PREFIX.length, -CHECKSUM_CHARS);
  return checksumOf(secret) === text.slice(-CHECKSUM_CHARS);
}

/** What is stored and looked up. The secret has 256 random bits, so a plain hash can't be searched. */
export function hashApiToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function checksumOf(secret: string): string {
  return toBase62(BigInt(crc32(secret)), CHECKSUM_CHARS);
}

function toBase62(value: bigint, chars: number): string {
  let text = '';
  let rest = value;
  for (let i = 0; i < chars; i += 1) {
    text = (ALPHABET[Number(rest % 62n)] ?? '') + text;
    rest /= 62n;
  }
  return text;
}
