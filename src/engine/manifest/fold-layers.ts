import type { DiskGeometry } from '../disk-geometry.ts';
import type { ManifestLayer } from './manifest-types.ts';
import { foldRecords } from './fold-records.ts';
import type { ManifestReader } from './manifest-reader.ts';
import type { SegmentRecord } from './segment-record.ts';

export interface FoldedGroup {
  readonly group: number;
  /** None is empty. */
  readonly records: readonly SegmentRecord[];
}

/**
 * What one layer says that takes the place of all of these, which follow each other, the oldest first; by ascending
 * groups, from `first` to `last` only. It depends on nothing but what the layers say: a repair makes the same again. Of
 * all layers of a disk, from its checkpoint on, this is a checkpoint.
 */
export async function* foldedGroups(
  reader: ManifestReader,
  layers: readonly ManifestLayer[],
  geometryOf: (sizeBytes: number) => DiskGeometry,
  { first, last } = { first: 0, last: Infinity },
): AsyncIterable<FoldedGroup> {
  const geometries = layers.map(({ sizeBytes }) => geometryOf(sizeBytes));
  const spoken = await Promise.all(layers.map((layer) => reader.groupsOf(layer)));
  const groups = [...new Set(spoken.flat())].filter((group) => first <= group && group <= last);
  for (const group of groups.toSorted((a, b) => a - b)) {
    const parts = await Promise.all(layers.map((layer) => reader.recordsOf(layer, group)));
    const records = foldRecords(
      geometries.map((geometry, i) => ({
        records: parts[i] ?? [],
        blocksIn: (segment) => geometry.blocksIn(segment),
      })),
    );
    if (records.length > 0) {
      yield { group, records };
    }
  }
}
