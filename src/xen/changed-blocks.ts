import { AppError } from '../kernel/errors.ts';
import type { XapiConnection } from './xapi-connection.ts';

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** What one bit of XAPI's bitmap stands for. */
export const CHANGED_BLOCK_BYTES = 64 * 1024;

/**
 * The bytes that differ between two snapshots of one disk; the second must descend from the first.
 * Throws CHANGED_BLOCKS_UNAVAILABLE where the pool can't tell.
 */
export async function listChangedBlocks(
  connection: XapiConnection,
  between: { readonly fromRef: string; readonly toRef: string; readonly sizeBytes: number },
  signal?: AbortSignal,
): Promise<ByteRange[]> {
  const { fromRef, toRef, sizeBytes } = between;
  const text = await connection.callForString('VDI.list_changed_blocks', [fromRef, toRef], signal);
  return rangesOfBitmap(Buffer.from(text, 'base64'), sizeBytes);
}

/**
 * Block 0 is the most significant bit of byte 0. The bitmap is padded to whole bytes; one that is too short for the
 * disk can't be believed.
 */
export function rangesOfBitmap(bitmap: Uint8Array, sizeBytes: number): ByteRange[] {
  const blocks = Math.ceil(sizeBytes / CHANGED_BLOCK_BYTES);
  if (bitmap.length < Math.ceil(blocks / 8)) {
    throw new AppError(
      'CHANGED_BLOCKS_UNAVAILABLE',
      `The list of changed blocks has ${bitmap.length} bytes, too few for a disk of ${sizeBytes} bytes.`,
    );
  }
  const ranges: ByteRange[] = [];
  let start = -1;
  for (let block = 0; block <= blocks; block += 1) {
    const changed = block < blocks && ((bitmap[block >> 3] ?? 0) & (0x80 >> (block & 7))) !== 0;
    if (changed && start < 0) {
      start = block;
    } else if (!changed && start >= 0) {
      const offset = start * CHANGED_BLOCK_BYTES;
      ranges.push({ offset, length: Math.min(block * CHANGED_BLOCK_BYTES, sizeBytes) - offset });
      start = -1;
    }
  }
  return ranges;
}
