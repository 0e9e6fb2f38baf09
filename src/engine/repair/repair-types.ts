import type { DamagedObject, VerifyLevel, VerifyResult } from '../verify/verify-types.ts';

export interface RepairRequest {
  /** `damaged`: what is missing of it; everything where a segment of it is damaged. `all`: everything anew. */
  readonly index: 'damaged' | 'all';
  /** How thoroughly is looked for what is lost, in the end; 0 if absent. Damaged data packs that it finds are condemned. */
  readonly level?: VerifyLevel;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RepairProgress) => void;
}

export interface RepairProgress {
  readonly phase: 'index' | 'manifests' | 'verify';
  /** Of `index` and `manifests`: packs. Of `verify`: bytes, where packs are read. */
  readonly done: number;
  readonly total: number;
}

export interface RepairResult {
  /** Data packs whose tables were read and put into the index again. */
  readonly indexedPacks: number;
  /** Names of index segments that were damaged, or that others have taken the place of. */
  readonly removedSegments: readonly string[];
  /** Names of meta packs that were damaged or missing, and were made anew from others. */
  readonly derivedManifests: readonly string[];
  /** Names of those that could be, but that the store locks as they are; they count as damaged below. */
  readonly lockedManifests: readonly string[];
  /** Where the epoch's object was damaged and a new one was put: whatever wrote before is fenced. */
  readonly raisedEpoch: number | null;
  /** Data packs whose tables can't be read, also those that no restore point needs. */
  readonly unreadablePacks: readonly DamagedObject[];
  /** What could not be repaired, down to VM, disk and range; and what is whole. */
  readonly verified: VerifyResult;
}
