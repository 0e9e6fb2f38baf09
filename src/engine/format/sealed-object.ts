import { AppError, isAppError } from '../../kernel/errors.ts';
import { plainDigest, DIGEST_BYTES } from '../keys/digest.ts';
import { deriveObjectKeys, type ObjectKeys, type RepositorySecrets } from '../keys/key-schedule.ts';
import { CODEC_RAW } from './compress.ts';
import { corrupt, decodeHeader, HEADER_BYTES, type ObjectHeader, type ObjectKind } from './header.ts';
import type { ObjectId } from './ids.ts';
import { FOOTER_BYTES, PackBuilder } from './pack-builder.ts';
import { Sealer, TAG_BYTES, type SealContext } from './seal.ts';

export interface Footer {
  readonly tableBytes: number;
  readonly frameCount: number;
  readonly commitment: Uint8Array;
}

/**
 * An object that is all table: sessions, points, tombstones, journal entries, epochs, condemned packs, custody entries,
 * waits.
 */
export function sealObject(
  kind: ObjectKind,
  id: ObjectId,
  payload: Uint8Array,
  secrets: RepositorySecrets,
): Uint8Array {
  const buffer = new Uint8Array(HEADER_BYTES + payload.length + TAG_BYTES + FOOTER_BYTES);
  return buffer.subarray(0, new PackBuilder(buffer, kind, id, secrets).finishWith(payload));
}

/** The opposite of `sealObject`, for one of the expected kinds. VAULT_CORRUPT, naming it, if anything is not as it was. */
export function openObject(
  data: Uint8Array,
  name: string,
  expected: { readonly id: ObjectId; readonly kinds: readonly ObjectKind[] },
  secrets: RepositorySecrets,
): { readonly kind: ObjectKind; readonly payload: Buffer } {
  const header = decodeHeader(data, name);
  if (header.id !== expected.id || !expected.kinds.includes(header.kind)) {
    throw corrupt(name, 'is another object than its name says');
  }
  checkHash(data, name);
  const footer = decodeFooter(data, data.length, name);
  const keys = openKeys(header, footer, name, secrets);
  const end = data.length - FOOTER_BYTES;
  const sealed = data.subarray(end - footer.tableBytes, end);
  return { kind: header.kind, payload: openTable(sealed, footer, sealContext(header, secrets), { keys, name }) };
}

export function sealContext(header: ObjectHeader, secrets: RepositorySecrets): SealContext {
  const { kind, generation, id } = header;
  return { repositoryId: secrets.repositoryId, kind, generation, objectId: id };
}

/** The footer from the last bytes of an object of `objectBytes`. */
export function decodeFooter(tail: Uint8Array, objectBytes: number, name: string): Footer {
  if (tail.length < FOOTER_BYTES || objectBytes < HEADER_BYTES + TAG_BYTES + FOOTER_BYTES) {
    throw corrupt(name, 'is shorter than any object');
  }
  const bytes = Buffer.from(tail.buffer, tail.byteOffset + tail.length - FOOTER_BYTES, FOOTER_BYTES);
  const tableBytes = bytes.readUInt32LE(0);
  if (tableBytes < TAG_BYTES || tableBytes > objectBytes - HEADER_BYTES - FOOTER_BYTES) {
    throw corrupt(name, 'has a footer that does not fit its length');
  }
  return { tableBytes, frameCount: bytes.readUInt32LE(4), commitment: new Uint8Array(bytes.subarray(16, 48)) };
}

/** The object's keys, if they are those that it was sealed with. */
export function openKeys(header: ObjectHeader, footer: Footer, name: string, secrets: RepositorySecrets): ObjectKeys {
  const root = secrets.objectRoots.get(header.generation);
  if (root === undefined) {
    throw keyLacking(name, header.generation);
  }
  const keys = deriveObjectKeys(root, header);
  if (!Buffer.from(keys.commitment).equals(footer.commitment)) {
    throw corrupt(name, 'was not sealed with this repository’s key, or its header or footer was changed');
  }
  return keys;
}

/** Damage to whoever reads; but it may be whole, and open with a fuller copy of the keys. */
export function isKeyLacking(error: unknown): boolean {
  return isAppError(error, 'VAULT_CORRUPT') && typeof error.data['keyGeneration'] === 'number';
}

function keyLacking(name: string, generation: number): AppError {
  const what = `was sealed with a key of generation ${generation}, of which this repository has none`;
  return new AppError('VAULT_CORRUPT', `${name} ${what}.`, {
    hint: 'See whether the key files are all there, and as new as the vault.',
    data: { object: name, keyGeneration: generation },
  });
}

export function openTable(
  sealed: Uint8Array,
  footer: Footer,
  context: SealContext,
  object: { readonly keys: ObjectKeys; readonly name: string },
): Buffer {
  const rawBytes = sealed.length - TAG_BYTES;
  const piece = { ordinal: footer.frameCount, codec: CODEC_RAW, rawBytes, digest: Buffer.alloc(DIGEST_BYTES) };
  try {
    return new Sealer(object.keys.tableKey, context).open(piece, sealed);
  } catch (error) {
    throw corrupt(object.name, 'has a table that was changed', error);
  }
}

/** Needs no key: whether the bytes are those that were written. */
export function checkHash(data: Uint8Array, name: string): void {
  const end = data.length - DIGEST_BYTES;
  if (end < HEADER_BYTES || !plainDigest(data.subarray(0, end)).equals(data.subarray(end))) {
    throw corrupt(name, 'does not have the hash that its footer says');
  }
}
