import { randomBytes } from 'node:crypto';
import { plainDigest, DIGEST_BYTES, SHORT_DIGEST_BYTES } from '../keys/digest.ts';
import { deriveObjectKeys, type ObjectKeys, type RepositorySecrets } from '../keys/key-schedule.ts';
import { compress, CODEC_RAW, type Compressed } from './compress.ts';
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
  #entries = Buffer.alloc(64 * TABLE_ENTRY_BYTES);
  #count = 0;
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

  /** Whether a frame of that many raw bytes surely fits. */
  fits(rawBytes: number): boolean {
    const closing = (this.#count + 1) * TABLE_ENTRY_BYTES + TAG_BYTES + FOOTER_BYTES;
    return this.#count < MAX_FRAMES && this.#used + rawBytes + TAG_BYTES + closing <= this.#buffer.length;
  }

  /** Compresses, seals and appends; returns the frame's ordinal. */
  append(raw: Uint8Array, digest: Uint8Array): number {
    return this.appendCompressed({ ...compress(raw), rawBytes: raw.length }, digest);
  }

  /** As it came out of another pack. */
  appendCompressed({ codec, data, rawBytes }: Compressed & { readonly rawBytes: number }, digest: Uint8Array): number {
    const ordinal = this.#count;
    const sealed = this.#frames.seal({ ordinal, codec, rawBytes, digest }, data, this.#buffer, this.#used);
    const at = ordinal * TABLE_ENTRY_BYTES;
    if (at === this.#entries.length) {
      this.#entries = Buffer.concat([this.#entries], 2 * at);
    }
    this.#entries.set(digest, at);
    this.#entries.writeUInt32LE(this.#used, at + 32);
    this.#entries.writeUInt32LE(sealed, at + 36);
    this.#entries.writeUInt32LE(rawBytes, at + 40);
    this.#entries.writeUInt8(codec, at + 44);
    this.#count += 1;
    this.#used += sealed;
    return ordinal;
  }

  /** The first 16 bytes of each frame's digest. */
  shortDigests(): Uint8Array {
    const digests = new Uint8Array(this.#count * SHORT_DIGEST_BYTES);
    for (let frame = 0; frame < this.#count; frame += 1) {
      const at = frame * TABLE_ENTRY_BYTES;
      digests.set(this.#entries.subarray(at, at + SHORT_DIGEST_BYTES), frame * SHORT_DIGEST_BYTES);
    }
    return digests;
  }

  /** Closes the pack; returns how many bytes of the buffer it takes. */
  finish(): number {
    return this.finishWith(this.#entries.subarray(0, this.#count * TABLE_ENTRY_BYTES));
  }

  /** Closes an object whose table is something else than a list of frames. */
  finishWith(table: Uint8Array): number {
    const count = this.#count;
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
