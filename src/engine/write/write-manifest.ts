import { ManifestWriter } from '../manifest/manifest-writer.ts';
import { SEGMENTS_PER_GROUP, type ManifestReader } from '../manifest/manifest-reader.ts';
import { decodeRecords, type SegmentRecord } from '../manifest/segment-record.ts';
import { applyRuns, truncateTable } from '../manifest/segment-table.ts';
import type { DiskGeometry } from '../disk-geometry.ts';
import type { ManifestLayer } from '../types.ts';

/** More than this, and a restore would read too many small pieces: a checkpoint takes their place. */
export const MAX_DELTAS = 32;

export interface ManifestBase {
  readonly reader: ManifestReader;
  readonly layers: readonly ManifestLayer[];
}

export interface ManifestInput {
  readonly geometry: DiskGeometry;
  /** By segment, encoded. */
  readonly records: ReadonlyMap<number, Buffer>;
  /** Null: the records cover the whole disk. */
  readonly base: ManifestBase | null;
}

/** The layers of a disk that was just written: a checkpoint, or the base's layers and one delta more. */
export async function writeManifest(
  writer: ManifestWriter,
  { geometry, records, base }: ManifestInput,
  signal: AbortSignal,
): Promise<readonly ManifestLayer[]> {
  const deltas = (base?.layers.length ?? 1) - 1;
  const isDelta = base !== null && deltas < MAX_DELTAS;
  const groups = Math.ceil(geometry.segmentCount / SEGMENTS_PER_GROUP);
  for (let group = 0; group < groups; group += 1) {
    const segments = segmentsOf(group, geometry.segmentCount);
    const content: SegmentRecord[] = [];
    for (const segment of segments) {
      const written = decodeRecord(records.get(segment));
      const record = isDelta || base === null ? written : await merge(segment, written, base.reader, geometry);
      if (record !== null) {
        content.push(record);
      }
    }
    if (content.length > 0) {
      await writer.addGroup(group, content, signal);
    }
  }
  const packs = await writer.finish(signal);
  const layer: ManifestLayer = { kind: isDelta ? 'delta' : 'checkpoint', sizeBytes: geometry.sizeBytes, packs };
  return isDelta ? [...base.layers, layer] : [layer];
}

function segmentsOf(group: number, segmentCount: number): number[] {
  const first = group * SEGMENTS_PER_GROUP;
  const count = Math.min(SEGMENTS_PER_GROUP, segmentCount - first);
  return Array.from({ length: count }, (_, i) => first + i);
}

function decodeRecord(encoded: Buffer | undefined): SegmentRecord | null {
  return encoded === undefined ? null : (decodeRecords(encoded, 'a record of this write')[0] ?? null);
}

async function merge(
  segment: number,
  written: SegmentRecord | null,
  base: ManifestReader,
  geometry: DiskGeometry,
): Promise<SegmentRecord> {
  const limit = geometry.blocksIn(segment);
  const entries = truncateTable(applyRuns(await base.segment(segment), written?.runs ?? []), limit);
  return { segment, runs: [{ start: 0, end: limit, entries }] };
}
