import { setFlagsFromString } from 'node:v8';
import { GIB, MIB } from '../kernel/bytes.ts';

/** Up to these sizes manifests and indexes don't make so much garbage that it would show. */
const SMALL_DISK_BYTES = 8 * GIB;
const SMALL_INDEX_BYTES = 24 * MIB;

/**
 * Stops the growth of the heap's young generation, of all threads and for good, where it is now: a few MB. Work that makes
 * much garbage, like merges of a large index, otherwise lets it grow to 130 MB of which nothing is needed. Node takes its
 * greatest size on the command line only, where whoever uses the engine would have to give it; the factor by which it
 * grows is looked at each time.
 *
 * Under flags of its own a thread can't use what Node has compiled beforehand of itself: each worker that starts later
 * takes 35 ms more. So this is for work that is long.
 */
export function stopYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** Before work on a disk of this size. */
export function expectDisk(sizeBytes: number): void {
  if (sizeBytes > SMALL_DISK_BYTES) {
    stopYoungGeneration();
  }
}

/** Before an index is opened whose segments have so many bytes. */
export function expectIndex(sizeBytes: number): void {
  if (sizeBytes > SMALL_INDEX_BYTES) {
    stopYoungGeneration();
  }
}
