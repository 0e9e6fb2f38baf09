/** The granularity of the block store and of changed-block tracking: 64 KiB. */
export const BLOCK = 64 * 1024;

const ZERO = Buffer.alloc(BLOCK);

export function isZeroBlock(block: Buffer): boolean {
  return block.equals(block.length === BLOCK ? ZERO : ZERO.subarray(0, block.length));
}
