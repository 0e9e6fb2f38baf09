/** Bytes from `offset` on; as XAPI's changed blocks they may overlap, touch or reach past the disk's end. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** What a disk is read from. */
export interface BlockSource {
  /** How many reads it serves well at the same time. */
  readonly concurrency: number;
  /** Fills `into`, which is the engine's (shared) memory, from `offset` on; never reaches past the disk's end. */
  read(offset: number, into: Uint8Array, signal: AbortSignal): Promise<void>;
}

/** What a disk is restored to. Calls may come in any order and `concurrency` at a time; none overlap. */
export interface BlockSink {
  readonly concurrency: number;
  /** `data` is the engine's memory and is only valid until the promise settles. */
  write(offset: number, data: Uint8Array, signal: AbortSignal): Promise<void>;
  /** This range reads as zeros. Absent: holes are skipped, for sinks that are known to be zero. */
  hole?(offset: number, length: number, signal: AbortSignal): Promise<void>;
}
