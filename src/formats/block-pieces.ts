/** The part of a write that falls into one block of an image. */
export interface BlockPiece {
  readonly block: number;
  /** Where in the block. */
  readonly at: number;
  readonly data: Uint8Array;
}

export function* cutPieces(offset: number, data: Uint8Array, blockBytes: number): Iterable<BlockPiece> {
  for (let from = 0; from < data.length;) {
    const block = Math.floor((offset + from) / blockBytes);
    const at = offset + from - block * blockBytes;
    const to = Math.min(data.length, from + blockBytes - at);
    yield { block, at, data: data.subarray(from, to) };
    from = to;
  }
}

const ZEROS = new Uint8Array(64 * 1024);

export function isZero(data: Uint8Array): boolean {
  for (let at = 0; at < data.length; at += ZEROS.length) {
    const piece = data.subarray(at, at + ZEROS.length);
    if (Buffer.compare(piece, ZEROS.subarray(0, piece.length)) !== 0) {
      return false;
    }
  }
  return true;
}
