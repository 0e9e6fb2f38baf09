import { throwIfAborted } from '../../kernel/abort.ts';
import type { DiskGeometry } from '../disk-geometry.ts';
import { ManifestReader } from '../manifest/manifest-reader.ts';
import type { ChunkRef } from '../manifest/segment-record.ts';
import { placeEntries, type PlacedEntry } from '../manifest/segment-table.ts';
import { geometryOf, type RepositoryContext } from '../repository-context.ts';
import type { ByteRange } from '../ports/block-io.ts';
import type { DiskManifest } from '../manifest/manifest-types.ts';
import type { DiskPiece, ReadDiskRequest } from './restore-types.ts';

/** A disk in order, chunk by chunk, on the thread that asks: for browsing and small reads. */
export async function* readDisk(
  context: RepositoryContext,
  manifest: DiskManifest,
  { ranges, signal }: ReadDiskRequest,
): AsyncIterable<DiskPiece> {
  const geometry = geometryOf(context, manifest.sizeBytes);
  const reader = new ManifestReader(context.store, context.secrets, manifest, (size) => geometryOf(context, size));
  for (const { start, end } of clipRanges(ranges ?? [{ offset: 0, length: manifest.sizeBytes }], manifest.sizeBytes)) {
    for (let segment = Math.floor(start / geometry.segmentBytes); segment * geometry.segmentBytes < end; segment += 1) {
      const table = placeEntries(await reader.segment(segment));
      const first = segment * geometry.segmentBytes;
      for (const piece of cutPieces(table, first, geometry, { start, end })) {
        throwIfAborted(signal);
        const { from, to, chunkStart, chunk } = piece;
        const raw = chunk === null ? null : await context.chunks.read(chunk, signal);
        const data = raw?.subarray(from - chunkStart, to - chunkStart) ?? null;
        yield { offset: from, length: to - from, data };
      }
    }
  }
}

interface Piece {
  readonly from: number;
  readonly to: number;
  readonly chunkStart: number;
  readonly chunk: ChunkRef | null;
}

/** The part of each chunk that lies in the range, in bytes of the disk. */
function cutPieces(
  table: readonly PlacedEntry[],
  first: number,
  { blockBytes, sizeBytes }: DiskGeometry,
  range: { readonly start: number; readonly end: number },
): Piece[] {
  return table
    .map(({ start, end, entry }) => {
      const chunkStart = first + start * blockBytes;
      const chunkEnd = Math.min(first + end * blockBytes, sizeBytes);
      return {
        from: Math.max(chunkStart, range.start),
        to: Math.min(chunkEnd, range.end),
        chunkStart,
        chunk: entry.chunk,
      };
    })
    .filter(({ from, to }) => from < to);
}

function clipRanges(ranges: readonly ByteRange[], sizeBytes: number): { start: number; end: number }[] {
  return ranges
    .map(({ offset, length }) => ({ start: Math.max(0, offset), end: Math.min(sizeBytes, offset + length) }))
    .filter(({ start, end }) => start < end)
    .toSorted((a, b) => a.start - b.start);
}
