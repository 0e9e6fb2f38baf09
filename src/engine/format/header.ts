import { AppError } from '../../kernel/errors.ts';
import { idBytes, type ObjectId } from './ids.ts';

export const FORMAT_VERSION = 1;
export const SUITE_AES256GCM_BLAKE3 = 1;
export const MAGIC = Buffer.from('HOLDFAST', 'latin1');
export const HEADER_BYTES = 64;
export const SALT_BYTES = 32;

export const OBJECT_KIND = {
  dataPack: 1,
  metaPack: 2,
  indexSegment: 3,
  session: 4,
  point: 5,
  tombstone: 6,
  journal: 7,
  epoch: 8,
  condemned: 9,
  custody: 10,
  waits: 11,
} as const;
export type ObjectKind = (typeof OBJECT_KIND)[keyof typeof OBJECT_KIND];

/** The clear start of every object but `repo.<n>`. */
export interface ObjectHeader {
  readonly kind: ObjectKind;
  readonly generation: number;
  readonly id: ObjectId;
  /** Fresh for every object that is written, also under a name that was tried before. */
  readonly salt: Uint8Array;
}

export function encodeHeader(header: ObjectHeader): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(bytes, 0);
  bytes.writeUInt16LE(FORMAT_VERSION, 8);
  bytes.writeUInt8(header.kind, 10);
  bytes.writeUInt8(SUITE_AES256GCM_BLAKE3, 11);
  bytes.writeUInt32LE(header.generation, 12);
  idBytes(header.id).copy(bytes, 16);
  bytes.set(header.salt, 32);
  return bytes;
}

/** `name` is for messages. VAULT_CORRUPT if it is no header, VAULT_FORMAT_UNKNOWN if it is of a later format. */
export function decodeHeader(data: Uint8Array, name: string): ObjectHeader {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, 8).equals(MAGIC)) {
    throw corrupt(name, 'does not begin as an object of a vault');
  }
  const version = bytes.readUInt16LE(8);
  const suite = bytes.readUInt8(11);
  if (version !== FORMAT_VERSION || suite !== SUITE_AES256GCM_BLAKE3) {
    throw new AppError(
      'VAULT_FORMAT_UNKNOWN',
      `${name} has format ${version}, suite ${suite}; this program reads 1, 1.`,
      { data: { object: name } },
    );
  }
  const kind = bytes.readUInt8(10);
  if (!isObjectKind(kind)) {
    throw corrupt(name, `says it is of kind ${kind}, which does not exist`);
  }
  return {
    kind,
    generation: bytes.readUInt32LE(12),
    id: bytes.toString('hex', 16, 32),
    salt: new Uint8Array(bytes.subarray(32, 64)),
  };
}

/** The key generation that the start of an object says, or null if it isn't one. */
export function generationOf(data: Uint8Array): number | null {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return bytes.length >= HEADER_BYTES && bytes.subarray(0, 8).equals(MAGIC) ? bytes.readUInt32LE(12) : null;
}

/** Whether the start of an object says another format, or suite, than this program's. */
export function isOfOtherFormat(data: Uint8Array): boolean {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const isObject = bytes.length >= HEADER_BYTES && bytes.subarray(0, 8).equals(MAGIC);
  return isObject && (bytes.readUInt16LE(8) !== FORMAT_VERSION || bytes.readUInt8(11) !== SUITE_AES256GCM_BLAKE3);
}

function isObjectKind(kind: number): kind is ObjectKind {
  return Object.values(OBJECT_KIND).some((known) => known === kind);
}

/** The one way to say that stored bytes are not what was written. `hint`: what helps, if not to verify the vault. */
export function corrupt(name: string, what: string, cause?: unknown, hint?: string): AppError {
  const helps = hint === undefined ? {} : { hint };
  return new AppError('VAULT_CORRUPT', `${name} ${what}.`, { data: { object: name }, cause, ...helps });
}
