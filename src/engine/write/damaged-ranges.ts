import { throwIfAborted } from '../../kernel/abort.ts';
import type { ObjectId } from '../format/ids.ts';
import { SEGMENTS_PER_GROUP, type ManifestReader } from '../manifest/manifest-reader.ts';
import { placeEntries } from '../manifest/segment-table.ts';
import type { ByteRange } from '../ports/block-io.ts';

/**
 * Ranges of a base that lie in damaged packs: read again they are stored anew, or found elsewhere, which heals older
 * points too wherever they have the same chunks. Reads the whole manifest, but decodes only groups that name such a pack.
 */
export async function findDamagedRanges(
  base: ManifestReader,
  damaged: ReadonlySet<ObjectId>,
  signal: AbortSignal,
): Promise<ByteRange[]> {
  const ranges: ByteRange[] = [];
  const { segmentCount, segmentBytes, blockBytes } = base.geometry;
  for (let segment = 0; damaged.size > 0 && segment < segmentCount; segment += 1) {
    throwIfAborted(signal);
    const group = Math.floor(segment / SEGMENTS_PER_GROUP);
    if (segment % SEGMENTS_PER_GROUP === 0 && !(await base.mentions(group, damaged))) {
      segment += SEGMENTS_PER_GROUP - 1;
      continue;
    }
    for (const { start, end, entry } of placeEntries(await base.segment(segment))) {
      if (entry.chunk !== null && damaged.has(entry.chunk.pack)) {
        ranges.push({ offset: segment * segmentBytes + start * blockBytes, length: (end - start) * blockBytes });
      }
    }
  }
  return ranges;
}
