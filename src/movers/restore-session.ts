import { createHash } from 'node:crypto';
import type { Repository } from '../engine/index.ts';

/** Pins the restore point for as long as the job reads it; again with the same job nothing happens. */
export async function beginRestore(repository: Repository, jobId: string, restorePointId: string): Promise<void> {
  await repository.beginSession({
    sessionId: jobId,
    pointId: neverWritten(jobId),
    purpose: 'restore',
    pins: [restorePointId],
  });
}

/** A reader announces a point id too; the job's own, so that a repeated attempt announces the same. */
function neverWritten(jobId: string): string {
  const hex = createHash('sha256').update(`restore ${jobId}`).digest('hex');
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return parts.join('-');
}
