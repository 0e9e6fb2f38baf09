import type { AppError } from '../../kernel/errors.ts';
import type { DiskManifest } from '../manifest/manifest-types.ts';
import type { DiskResult } from '../write/write-types.ts';

/** Small facts of the caller's about a restore point, stored encrypted: method, consistency, anchors of the next run. */
export type PointInfo = Readonly<Record<string, unknown>>;

export interface CommitPointRequest {
  readonly sessionId: string;
  readonly pointId: string;
  readonly vmId: string;
  /** When the source was as the point says, milliseconds since the epoch. */
  readonly takenAt: number;
  /** The point can't be deleted before, milliseconds since the epoch; absent: at any time. */
  readonly retainUntil?: number;
  readonly disks: readonly DiskResult[];
  /** The VM's configuration; opaque here, stored encrypted. */
  readonly config: Uint8Array;
  readonly info: PointInfo;
}

export interface PointDisk {
  readonly diskKey: string;
  readonly sizeBytes: number;
  readonly bytesStoredNew: number;
}

export interface PointSummary {
  readonly pointId: string;
  readonly vmId: string;
  readonly sessionId: string;
  readonly takenAt: number;
  readonly committedAt: number;
  /** As it was committed; `readCustody` says what stands now. */
  readonly retainUntil?: number;
  /** Until when the store keeps everything that the point needs, whoever asks to delete it; absent: the store can't. */
  readonly lockedUntil?: number;
  readonly disks: readonly PointDisk[];
  readonly info: PointInfo;
}

export interface Point {
  readonly summary: PointSummary;
  readonly config: Uint8Array;
  readonly disks: readonly DiskManifest[];
}

export interface ListPointsOptions {
  /** Told of points whose object is damaged. Absent: an error that names them ends the list, after all others. */
  readonly onDamaged?: (pointId: string, error: AppError) => void;
}

export interface RepositoryStats {
  /** Everything below the prefix: data, metadata, index, points, sessions. */
  readonly storedBytes: number;
  readonly dataPacks: number;
  readonly metaPacks: number;
  /** Those that can be read. */
  readonly points: number;
  /** Ids of those whose own object is damaged. */
  readonly damagedPoints: readonly string[];
}
