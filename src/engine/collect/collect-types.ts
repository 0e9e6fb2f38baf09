import type { SessionSummary } from '../sessions/session-types.ts';

export interface CollectRequest {
  /** How long condemned packs stay for readers that know nothing of it, milliseconds; a day if absent. */
  readonly graceMs?: number;
  /** A pack of which less is still needed is emptied and deleted, 0 to 1; a half if absent. */
  readonly minLiveShare?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CollectProgress) => void;
}

export interface CollectProgress {
  /** `mark`: meta packs are read; `copy`: packs that are emptied; `delete`: objects. */
  readonly phase: 'mark' | 'copy' | 'delete';
  readonly done: number;
  readonly total: number;
}

export interface CollectedCounts {
  readonly dataPacks: number;
  readonly metaPacks: number;
  readonly indexSegments: number;
  readonly points: number;
  /** Of writers and readers that had died; they were fenced before. */
  readonly sessions: number;
  /** Of everything that was deleted. */
  readonly bytes: number;
}

/** What a collection did, and what is left for the next. Deleting is not all at once: nobody is made to wait. */
export interface CollectResult {
  readonly deleted: CollectedCounts;
  /** Frames that were still needed, in packs that are to go. */
  readonly copied: { readonly frames: number; readonly bytes: number };
  /** Packs that were condemned by this call. */
  readonly condemned: { readonly packs: number; readonly bytes: number };
  /** Condemned packs that are still there. */
  readonly pending: { readonly packs: number; readonly bytes: number };
  /** Sessions from before packs were condemned, or that pin deleted points: what they may need stays until they end. */
  readonly waitsFor: readonly SessionSummary[];
  /** When there will be more to delete if no session stands in the way; milliseconds since the epoch. Null: nothing. */
  readonly again: number | null;
  /**
   * Points and manifests that can't be read: what they need is not known, so nothing was condemned and nothing deleted.
   * `verify` says more.
   */
  readonly unreadable: readonly string[];
  /** Chunks that restore points need and that are nowhere. */
  readonly lostChunks: number;
  /** Condemned packs with needed frames that don't open: they stay. */
  readonly damagedPacks: readonly string[];
}
