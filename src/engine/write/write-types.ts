import type { DiskManifest } from '../manifest/manifest-types.ts';
import type { BlockSource, ByteRange } from '../ports/block-io.ts';

export interface DiskProgress {
  /** Bytes of the disk that are settled: read and stored, found unchanged, or a hole. */
  readonly doneBytes: number;
  readonly sizeBytes: number;
  readonly bytesRead: number;
  readonly bytesStoredNew: number;
}

export interface WriteDiskRequest {
  readonly sessionId: string;
  /** The caller's name for the disk, stable over its restore points, unique in the VM. */
  readonly diskKey: string;
  readonly sizeBytes: number;
  readonly source: BlockSource;
  /** The restore point that `changed` is relative to; it must be pinned by the session. */
  readonly base?: { readonly pointId: string; readonly diskKey: string };
  /** What may differ from the base. Absent: the whole disk is read. */
  readonly changed?: readonly ByteRange[];
  /** Where the unchanged rest of a touched chunk is read from; 'source' if absent. */
  readonly unchangedFrom?: 'source' | 'vault';
  /** About how many unchanged bytes are read again and compared, to find a change list that lied; 8 MiB if absent. */
  readonly sampleBytes?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DiskProgress) => void;
}

/** What a written disk is committed with; survives JSON. Everything that it names is durable. */
export interface DiskResult {
  readonly diskKey: string;
  readonly manifest: DiskManifest;
  readonly sizeBytes: number;
  /** Read from the source in this call and those that it resumes, samples included. */
  readonly bytesRead: number;
  /** Of the change list, or the disk's size when it was read in full. */
  readonly bytesChanged: number;
  /** Added to the store for this disk: data packs, manifest and index. */
  readonly bytesStoredNew: number;
  readonly bytesSampled: number;
  /** Chunks cut from what was read, and how many of these were not in the vault yet. */
  readonly chunksRead: number;
  readonly chunksNew: number;
  /** The chunks that had been settled by an earlier call that was interrupted came from its journal. */
  readonly resumed: boolean;
  /** The change list was not used, and why: samples belied it, or the base's point or manifest can't be read. */
  readonly fellBackToFull?: 'CHANGE_LIST_LIED' | 'BASE_DAMAGED';
}
