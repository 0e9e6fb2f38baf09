import { randomBytes } from 'node:crypto';
import { plainDigest, DIGEST_BYTES } from '../keys/digest.ts';
import { deriveObjectKeys, type ObjectKeys, type RepositorySecrets } from '../keys/key-schedule.ts';
import { compress, CODEC_RAW } from './compress.ts';
import { encodeHeader, HEADER_BYTES, SALT_BYTES, type ObjectHeader, type ObjectKind } from './header.ts';
import type { ObjectId } from './ids.ts';
import { Sealer, TAG_BYTES } from './seal.ts';

/** Of a pack's table, for each frame: digest, offset, sealed length, raw length, codec, three zeros. */
export const TABLE_ENTRY_BYTES = 48;
/** Length of the sealed table, count of frames, eight zeros, key commitment, hash of everything before. */
export const FOOTER_BYTES = 80;
/** Frames are counted in 16 bits by manifests. */
export const MAX_FRAMES = 65_535;

/** Fills one pack in a buffer of its caller's. Everything happens at once: it is used where blocking is right. */
export class PackBuilder {
  readonly id: ObjectId;
  readonly #buffer: Uint8Array;
  readonly #keys: ObjectKeys;
  readonly #frames: Sealer;
  readonly #table: Sealer;
  readonly #entries: Buffer[] = [];
  #used = HEADER_BYTES;

  constructor(buffer: Uint8Array, kind: ObjectKind, id: ObjectId, secrets: RepositorySecrets) {
    this.id = id;
    this.#buffer = buffer;
    const header: ObjectHeader = { kind, generation: secrets.generation, id, salt: randomBytes(SALT_BYTES) };
    buffer.set(encodeHeader(header), 0);
    this.#keys = deriveObjectKeys(secrets.objectRoot, header);
    const { repositoryId, generation } = secrets;
    const context = { repositoryId, kind, generation, objectId: id };
    this.#frames = new Sealer(this.#keys.frameKey, context);
    this.#table = new Sealer(this.#keys.tableKey, context);
  }

  get frameCount(): number {
    return this.#entries.length;
  }

  /** Whether a frame of that many raw bytes surely fits. */
  fits(rawBytes: number): boolean {
    const closing = (this.#entries.length + 1) * TABLE_ENTRY_BYTES + TAG_BYTES + FOOTER_BYTES;
    return this.#entries.length < MAX_FRAMES && this.#used + rawBytes + TAG_BYTES + closing <= this.#buffer.length;
  }

  /** Compresses, seals and appends; returns the frame's ordinal. */
  append(raw: Uint8Array, digest: Uint8Array): number {
    const ordinal = this.#entries.length;
    const { codec, data } = compress(raw);
    const sealed = this.#frames.seal({ ordinal, codec, rawBytes: raw.length, digest }, data, this.#buffer, this.#used);
    const entry = Buffer.alloc(TABLE_ENTRY_BYTES);
    entry.set(digest, 0);
    entry.writeUInt32LE(this.#used, 32);
    entry.writeUInt32LE(sealed, 36);
    entry.writeUInt32LE(raw.length, 40);
    entry.writeUInt8(codec, 44);
    this.#entries.push(entry);
    this.#used += sealed;
    return ordinal;
  }

  /** Closes the pack; returns how many bytes of the buffer it takes. */
  finish(): number {
    return this.finishWith(Buffer.concat(this.#entries));
  }

  /** Closes an object whose table is something else than a list of frames. */
  finishWith(table: Uint8Array): number {
    const count = this.#entries.length;
    const piece = { ordinal: count, codec: CODEC_RAW, rawBytes: table.length, digest: Buffer.alloc(DIGEST_BYTES) };
    const tableBytes = this.#table.seal(piece, table, this.#buffer, this.#used);
    this.#used += tableBytes;
    const footer = Buffer.alloc(FOOTER_BYTES - DIGEST_BYTES);
    footer.writeUInt32LE(tableBytes, 0);
    footer.writeUInt32LE(count, 4);
    footer.set(this.#keys.commitment, 16);
    this.#buffer.set(footer, this.#used);
    this.#used += footer.length;
    this.#buffer.set(plainDigest(this.#buffer.subarray(0, this.#used)), this.#used);
    this.#used += DIGEST_BYTES;
    return this.#used;
  }
}
