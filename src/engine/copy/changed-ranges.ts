import { SEGMENTS_PER_GROUP, type ManifestReader } from '../manifest/manifest-reader.ts';
import { placeEntries, type PlacedEntry, type SegmentTable } from '../manifest/segment-table.ts';
import type { ByteRange } from '../ports/block-io.ts';
import type { DiskManifest } from '../manifest/manifest-types.ts';

export interface ManifestToCompare {
  readonly manifest: DiskManifest;
  readonly reader: ManifestReader;
}

/**
 * What a disk has that another version of it does not, from their manifests alone. Groups of segments for which both
 * name the same packs are not looked at: it costs what changed, not what the disk holds.
 */
export async function changedRanges(base: ManifestToCompare, now: ManifestToCompare): Promise<ByteRange[]> {
  const { geometry } = now.reader;
  const ranges: ByteRange[] = [];
  for (let group = 0; group * SEGMENTS_PER_GROUP < geometry.segmentCount; group += 1) {
    if (packsFor(group, base.manifest) === packsFor(group, now.manifest)) {
      continue;
    }
    const first = group * SEGMENTS_PER_GROUP;
    const end = Math.min(first + SEGMENTS_PER_GROUP, geometry.segmentCount);
    for (let segment = first; segment < end; segment += 1) {
      await addChanges(base, now, segment, ranges);
    }
  }
  return ranges;
}

async function addChanges(
  base: ManifestToCompare,
  now: ManifestToCompare,
  segment: number,
  ranges: ByteRange[],
): Promise<void> {
  const { blockBytes, segmentBytes, sizeBytes } = now.reader.geometry;
  const before = segment < base.reader.geometry.segmentCount ? await base.reader.segment(segment) : [];
  for (const { start, end } of differing(before, await now.reader.segment(segment))) {
    const offset = segment * segmentBytes + start * blockBytes;
    const length = Math.min(sizeBytes - offset, (end - start) * blockBytes);
    const last = ranges.at(-1);
    if (last !== undefined && last.offset + last.length === offset) {
      ranges[ranges.length - 1] = { offset: last.offset, length: last.length + length };
    } else {
      ranges.push({ offset, length });
    }
  }
}

/** Layers and packs that speak of a group, as text. Without its size a layer says nothing about what it cuts off. */
function packsFor(group: number, { layers }: DiskManifest): string {
  const speaking = layers.flatMap(({ sizeBytes, packs }) =>
    packs
      .filter(({ firstGroup, lastGroup }) => firstGroup <= group && group <= lastGroup)
      .map(({ id }) => `${id} ${sizeBytes}`),
  );
  return speaking.join('\n');
}

/** Entries that the table before does not have at the same place. */
function differing(before: SegmentTable, now: SegmentTable): PlacedEntry[] {
  const placed = placeEntries(before);
  const holes = placed.filter(({ isHole }) => isHole);
  const known = new Set(placed.map(identityOf));
  return placeEntries(now).filter((entry) =>
    entry.isHole
      ? !holes.some(({ start, end }) => start <= entry.start && entry.end <= end)
      : !known.has(identityOf(entry)),
  );
}

function identityOf({ start, end, entry: { chunk } }: PlacedEntry): string {
  return `${start} ${end} ${chunk === null ? 'hole' : Buffer.from(chunk.digest).toString('hex')}`;
}
