import type { ChunkingParameters } from './repository-options.ts';

/** How a disk of a certain size divides into segments and blocks. */
export class DiskGeometry {
  readonly sizeBytes: number;
  readonly blockBytes: number;
  readonly segmentBytes: number;
  /** A chunk of data reaches into zeros no further than this from its start. */
  readonly minChunkBytes: number;

  constructor(sizeBytes: number, parameters: ChunkingParameters) {
    this.sizeBytes = sizeBytes;
    this.blockBytes = parameters.blockBytes;
    this.segmentBytes = parameters.segmentBytes;
    this.minChunkBytes = parameters.minChunkBytes;
  }

  get segmentBlocks(): number {
    return this.segmentBytes / this.blockBytes;
  }

  get minChunkBlocks(): number {
    return this.minChunkBytes / this.blockBytes;
  }

  get segmentCount(): number {
    return Math.ceil(this.sizeBytes / this.segmentBytes);
  }

  /** Bytes of the disk in a segment: less than a whole one only in the last, 0 past the end. */
  bytesIn(segment: number): number {
    return Math.max(0, Math.min(this.segmentBytes, this.sizeBytes - segment * this.segmentBytes));
  }

  /** Blocks of a segment; the last block of a disk may be a part of one. */
  blocksIn(segment: number): number {
    return Math.ceil(this.bytesIn(segment) / this.blockBytes);
  }
}
