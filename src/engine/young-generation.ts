import { setFlagsFromString } from 'node:v8';

/**
 * Stops the growth of the heap's young generation, of all threads and for good, where it is now: a few MB. Work that makes
 * much garbage, like merges of a large index, otherwise lets it grow to 130 MB of which nothing is needed. Node takes its
 * greatest size on the command line only, where whoever uses the engine would have to give it; the factor by which it
 * grows is looked at each time.
 */
export function stopYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
