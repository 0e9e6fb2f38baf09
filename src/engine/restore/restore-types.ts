import type { BlockSink, ByteRange } from '../ports/block-io.ts';

export interface ReadDiskRequest {
  readonly pointId: string;
  readonly diskKey: string;
  /** Only these; absent: the whole disk. */
  readonly ranges?: readonly ByteRange[];
  readonly signal?: AbortSignal;
}

/** Consecutive pieces of what was asked for, in ascending order. */
export type DiskPiece =
  | { readonly offset: number; readonly length: number; readonly data: Uint8Array }
  | { readonly offset: number; readonly length: number; readonly data: null };

export interface RestoreProgress {
  /** Everything below this offset is in the sink: the cursor that an interrupted restore goes on `from`. */
  readonly settledBelow: number;
  readonly bytesWritten: number;
  readonly sizeBytes: number;
}

export interface RestoreDiskRequest {
  /** The session that pins the point: its lease is renewed for as long as this takes. */
  readonly sessionId?: string;
  readonly pointId: string;
  readonly diskKey: string;
  readonly sink: BlockSink;
  /** A `settledBelow` of an earlier call; 0 if absent. */
  readonly from?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RestoreProgress) => void;
}

export interface RestoreResult {
  readonly sizeBytes: number;
  readonly bytesWritten: number;
  readonly bytesHoles: number;
}
