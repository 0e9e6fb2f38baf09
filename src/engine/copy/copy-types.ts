import type { PointSummary } from '../points/point-types.ts';
import type { Repository } from '../repository.ts';

export interface CopyPointRequest {
  /** The restore point of this repository that is copied. */
  readonly pointId: string;
  /** Another repository: of any tenant, target, keys and parameters. */
  readonly to: Repository;
  /** The id that the copy will have there. */
  readonly copyId: string;
  /** One session in each repository has this id. The same request again goes on where it was interrupted. */
  readonly sessionId: string;
  /** A restore point that was copied before, and its copy: only what differs between the two points is read. */
  readonly base?: CopyBase;
  /** The copy may not be deleted before; milliseconds since the epoch. What holds for the original is not carried over. */
  readonly retainUntil?: number;
  /** About how many bytes that are the same as in the base are compared with its copy all the same; 8 MiB if absent. */
  readonly sampleBytes?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CopyProgress) => void;
}

export interface CopyBase {
  readonly pointId: string;
  readonly copyId: string;
}

export interface CopyProgress {
  readonly diskKey: string;
  /** Of this disk: settled in the other repository, or the same as in the base. */
  readonly doneBytes: number;
  readonly sizeBytes: number;
  /** Of this disk: read and decoded, and added to the other repository. */
  readonly bytesRead: number;
  readonly bytesStoredNew: number;
}

export interface CopyResult {
  /** As the other repository lists it; its `info` is the original's and `copiedFrom`. */
  readonly summary: PointSummary;
  readonly bytesRead: number;
  readonly bytesStoredNew: number;
}

/** `info.copiedFrom` of a copy. A copy of a copy has the whole chain. */
export interface Provenance {
  readonly repositoryId: string;
  readonly pointId: string;
  readonly committedAt: number;
  readonly copiedFrom?: Provenance;
}
