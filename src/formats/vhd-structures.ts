import { SECTOR_BYTES } from './disk-image.ts';

export const VHD_FOOTER_BYTES = 512;
export const VHD_HEADER_BYTES = 1024;

const VERSION = 0x0001_0000;
const DYNAMIC = 3;
/** Times in a VHD count seconds from the beginning of the year 2000. */
const EPOCH_MS = 946_684_800_000;
const NO_OFFSET = 0xffff_ffff_ffff_ffffn;

export interface VhdFacts {
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** 16 bytes. */
  readonly id: Uint8Array;
}

/**
 * The footer, which also stands at the beginning. As creator it names Windows: programs take a disk's size from its
 * rounded geometry unless they know the creator.
 */
export function encodeVhdFooter({ sizeBytes, createdAt, id }: VhdFacts): Buffer {
  const footer = Buffer.alloc(VHD_FOOTER_BYTES);
  footer.write('conectix', 0, 'latin1');
  footer.writeUInt32BE(2, 8);
  footer.writeUInt32BE(VERSION, 12);
  footer.writeBigUInt64BE(BigInt(VHD_FOOTER_BYTES), 16);
  footer.writeUInt32BE(Math.max(0, Math.floor((createdAt - EPOCH_MS) / 1000)), 24);
  footer.write('win ', 28, 'latin1');
  footer.writeUInt32BE(0x000a_0000, 32);
  footer.write('Wi2k', 36, 'latin1');
  footer.writeBigUInt64BE(BigInt(sizeBytes), 40);
  footer.writeBigUInt64BE(BigInt(sizeBytes), 48);
  const { cylinders, heads, sectors } = geometryOf(sizeBytes / SECTOR_BYTES);
  footer.writeUInt16BE(cylinders, 56);
  footer.writeUInt8(heads, 58);
  footer.writeUInt8(sectors, 59);
  footer.writeUInt32BE(DYNAMIC, 60);
  footer.set(id, 68);
  footer.writeUInt32BE(checksum(footer), 64);
  return footer;
}

export function encodeVhdHeader(table: {
  readonly tableAt: number;
  readonly blocks: number;
  readonly blockBytes: number;
}): Buffer {
  const header = Buffer.alloc(VHD_HEADER_BYTES);
  header.write('cxsparse', 0, 'latin1');
  header.writeBigUInt64BE(NO_OFFSET, 8);
  header.writeBigUInt64BE(BigInt(table.tableAt), 16);
  header.writeUInt32BE(VERSION, 24);
  header.writeUInt32BE(table.blocks, 28);
  header.writeUInt32BE(table.blockBytes, 32);
  header.writeUInt32BE(checksum(header), 36);
  return header;
}

/** The complement of the sum of all bytes, the checksum's own being zeros. */
function checksum(bytes: Uint8Array): number {
  return ~bytes.reduce((sum, byte) => sum + byte, 0) >>> 0;
}

interface Geometry {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectors: number;
}

/** The specification's choice of heads and sectors per track, largest disks first. */
function geometryOf(total: number): Geometry {
  const capped = Math.min(total, 65_535 * 16 * 255);
  if (capped >= 65_535 * 16 * 63) {
    return toGeometry(capped, 16, 255);
  }
  const heads = Math.max(4, Math.ceil(Math.floor(capped / 17) / 1024));
  if (heads <= 16 && Math.floor(capped / 17) < heads * 1024) {
    return toGeometry(capped, heads, 17);
  }
  return Math.floor(capped / 31) < 16 * 1024 ? toGeometry(capped, 16, 31) : toGeometry(capped, 16, 63);
}

function toGeometry(total: number, heads: number, sectors: number): Geometry {
  return { cylinders: Math.floor(total / sectors / heads), heads, sectors };
}
