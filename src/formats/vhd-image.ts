import { randomBytes } from 'node:crypto';
import { AppError } from '../kernel/errors.ts';
import { GIB, MIB } from '../kernel/bytes.ts';
import { cutPieces, isZero } from './block-pieces.ts';
import { requireInside, SECTOR_BYTES, wholeSectors, type DiskImage, type ImageTarget } from './disk-image.ts';
import { encodeVhdFooter, encodeVhdHeader, VHD_FOOTER_BYTES, VHD_HEADER_BYTES } from './vhd-structures.ts';

export const VHD_BLOCK_BYTES = 2 * MIB;
/** The format's own limit for dynamic disks. */
export const VHD_MAX_BYTES = 2040 * GIB;

const TABLE_AT = VHD_FOOTER_BYTES + VHD_HEADER_BYTES;
const UNALLOCATED = 0xffff_ffff;
const BITMAP = new Uint8Array(SECTOR_BYTES).fill(0xff);

/**
 * A dynamic VHD: blocks of 2 MiB in the order in which they are first written. Of a block that exists, every sector is
 * marked as present. After "Virtual Hard Disk Image Format Specification" 1.0.
 */
export class VhdImage implements DiskImage {
  readonly #target: ImageTarget;
  readonly #sizeBytes: number;
  readonly #createdAt: number;
  readonly #table: Buffer;
  readonly #blocks: number;
  #end: number;

  /** `createdAt`: milliseconds since the epoch. BAD_INPUT if the disk is too large for the format. */
  constructor(target: ImageTarget, sizeBytes: number, createdAt: number) {
    if (sizeBytes > VHD_MAX_BYTES) {
      throw new AppError('BAD_INPUT', `A VHD holds at most ${VHD_MAX_BYTES} bytes; the disk has ${sizeBytes}.`, {
        hint: 'Choose qcow2 or raw.',
      });
    }
    this.#target = target;
    this.#sizeBytes = wholeSectors(sizeBytes);
    this.#createdAt = createdAt;
    this.#blocks = Math.ceil(this.#sizeBytes / VHD_BLOCK_BYTES);
    this.#table = Buffer.alloc(wholeSectors(this.#blocks * 4), 0xff);
    this.#end = TABLE_AT + this.#table.length;
  }

  async write(offset: number, data: Uint8Array): Promise<void> {
    requireInside(offset, data.length, this.#sizeBytes);
    const writes: Promise<void>[] = [];
    for (const piece of cutPieces(offset, data, VHD_BLOCK_BYTES)) {
      const isNew = this.#table.readUInt32BE(piece.block * 4) === UNALLOCATED;
      if (isNew && isZero(piece.data)) {
        continue;
      }
      if (isNew) {
        writes.push(this.#allocate(piece.block));
      }
      const bitmapAt = this.#table.readUInt32BE(piece.block * 4) * SECTOR_BYTES;
      writes.push(this.#target.write(bitmapAt + BITMAP.length + piece.at, piece.data));
    }
    await Promise.all(writes);
  }

  async hole(offset: number, length: number): Promise<void> {
    requireInside(offset, length, this.#sizeBytes);
  }

  /** Its beginning comes last: without it, it is no VHD. */
  async finish(): Promise<void> {
    const facts = { sizeBytes: this.#sizeBytes, createdAt: this.#createdAt, id: randomBytes(16) };
    const footer = encodeVhdFooter(facts);
    await this.#target.resize(this.#end + VHD_FOOTER_BYTES);
    await this.#target.write(this.#end, footer);
    await this.#target.write(TABLE_AT, this.#table);
    const header = encodeVhdHeader({ tableAt: TABLE_AT, blocks: this.#blocks, blockBytes: VHD_BLOCK_BYTES });
    await this.#target.write(VHD_FOOTER_BYTES, header);
    await this.#target.write(0, footer);
  }

  async #allocate(block: number): Promise<void> {
    const at = this.#end;
    this.#table.writeUInt32BE(at / SECTOR_BYTES, block * 4);
    this.#end += BITMAP.length + VHD_BLOCK_BYTES;
    await this.#target.write(at, BITMAP);
  }
}
