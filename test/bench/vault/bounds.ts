import { availableParallelism } from 'node:os';
import type { PrimitiveCosts } from '../engine-bound.ts';
import type { RowName } from './side.ts';

/**
 * Seconds that a row can't go below on this machine: the processor time of its primitives, measured alone in the same
 * run, divided by the cores; nothing else, no start of a process, no message, no directory. Null for rows whose work
 * depends on what was found to be the same.
 */
export function boundSeconds(
  row: RowName,
  costs: PrimitiveCosts,
  { imageBytes, storedBytes }: { readonly imageBytes: number; readonly storedBytes: number },
): number | null {
  const { read, blockHash, digest, compress, seal, write, open, readStored, decompress, plainHash } = costs;
  const whole = storedBytes / costs.storedShare;
  const decode = readStored + open + decompress + digest;
  const work: Partial<Record<RowName, number>> = {
    full: (read + blockHash + digest + compress + seal + plainHash + write) * imageBytes,
    restore: decode * imageBytes,
    'verify tags': (readStored + plainHash) * whole,
    'verify deep': decode * whole,
  };
  const seconds = work[row];
  return seconds === undefined ? null : seconds / availableParallelism();
}
