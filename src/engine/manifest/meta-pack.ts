import { FrameOpener, type PackTable, type ReadRange } from '../format/pack-reader.ts';

/** A meta pack that was opened. */
export interface MetaPack {
  /** Ordinal of the frame that holds a group. */
  readonly frameOf: ReadonlyMap<number, number>;
  /** A frame's content, checked. */
  read(frame: number): Promise<Buffer>;
}

export async function openMetaPack(table: PackTable, readRange: ReadRange, digestKey: Uint8Array): Promise<MetaPack> {
  const opener = new FrameOpener(table.opener, digestKey);
  const read = async (ordinal: number): Promise<Buffer> => {
    const frame = table.frame(ordinal);
    const sealed = new Uint8Array(frame.sealedBytes);
    await readRange(frame.offset, sealed);
    const raw = opener.open(frame, sealed);
    return Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  };
  const directory = await read(table.frameCount - 1);
  const frameOf = new Map<number, number>();
  for (let frame = 0; frame < directory.length / 4; frame += 1) {
    frameOf.set(directory.readUInt32LE(frame * 4), frame);
  }
  return { frameOf, read };
}
