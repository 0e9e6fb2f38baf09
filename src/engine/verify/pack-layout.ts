import { corrupt, HEADER_BYTES } from '../format/header.ts';
import { FOOTER_BYTES, TABLE_ENTRY_BYTES } from '../format/pack-builder.ts';
import type { Frame, PackTable } from '../format/pack-reader.ts';
import { TAG_BYTES } from '../format/seal.ts';

/** Whether frames follow each other and the pack is exactly as long as they, its table and its footer. */
export function requireLayout(table: PackTable): void {
  let at = HEADER_BYTES;
  for (const frame of frames(table)) {
    if (frame.offset !== at || frame.sealedBytes < TAG_BYTES) {
      throw corrupt(table.opener.name, `has a frame ${frame.ordinal} that does not follow the one before`);
    }
    at += frame.sealedBytes;
  }
  const sizeBytes = at + table.frameCount * TABLE_ENTRY_BYTES + TAG_BYTES + FOOTER_BYTES;
  if (sizeBytes !== table.sizeBytes) {
    throw corrupt(table.opener.name, `has ${table.sizeBytes} bytes; its table says ${sizeBytes}`);
  }
}

export function* frames(table: PackTable): Iterable<Frame> {
  for (let ordinal = 0; ordinal < table.frameCount; ordinal += 1) {
    yield table.frame(ordinal);
  }
}

/** Consecutive frames that are read in one piece. */
export interface FrameWindow {
  readonly offset: number;
  readonly bytes: number;
  readonly frames: readonly Frame[];
}

/** Windows of at most `capacity` bytes; one frame that is longer has a window of its own. */
export function cutWindows(table: PackTable, capacity: number): FrameWindow[] {
  const windows: { offset: number; bytes: number; frames: Frame[] }[] = [];
  for (const frame of frames(table)) {
    const last = windows.at(-1);
    if (last !== undefined && last.bytes + frame.sealedBytes <= capacity) {
      last.bytes += frame.sealedBytes;
      last.frames.push(frame);
    } else {
      windows.push({ offset: frame.offset, bytes: frame.sealedBytes, frames: [frame] });
    }
  }
  return windows;
}
