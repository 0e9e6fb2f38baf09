import type { DiskGeometry } from '../disk-geometry.ts';

/**
 * For how many lanes at most it is worth starting threads where so much has changed: about a segment takes as long as the
 * start. Those that run are used anyway.
 */
export function lanesWorth(bytes: number, { segmentBytes }: DiskGeometry): number {
  return Math.max(1, Math.floor(bytes / segmentBytes));
}
