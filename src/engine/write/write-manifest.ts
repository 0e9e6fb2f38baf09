import { throwIfAborted } from '../../kernel/abort.ts';
import type { DiskGeometry } from '../disk-geometry.ts';
import { foldRecords, type LayerRecords } from '../manifest/fold-records.ts';
import { planFold } from '../manifest/fold-plan.ts';
import { SEGMENTS_PER_GROUP, type ManifestReader } from '../manifest/manifest-reader.ts';
import type { ManifestWriter } from '../manifest/manifest-writer.ts';
import { decodeRecords, type SegmentRecord } from '../manifest/segment-record.ts';
import { applyRuns, truncateTable } from '../manifest/segment-table.ts';
import type { ManifestLayer } from '../types.ts';

export interface ManifestBase {
  readonly reader: ManifestReader;
  readonly layers: readonly ManifestLayer[];
}

export interface ManifestInput {
  readonly geometry: DiskGeometry;
  readonly geometryOf: (sizeBytes: number) => DiskGeometry;
  /** Has been given all groups that were written. */
  readonly writer: ManifestWriter;
  /** For what is made of several layers. */
  readonly foldWriter: ManifestWriter;
  /** Null: the records cover the whole disk. */
  readonly base: ManifestBase | null;
}

/** A layer, or what is about to be one. */
interface LayerSource {
  readonly geometry: DiskGeometry;
  readonly groups: readonly number[];
  readonly records: (group: number) => Promise<readonly SegmentRecord[]>;
}

/** The layers of a disk that was just written: a checkpoint; or the base's and a delta more, with the last made one. */
export async function finishManifest(input: ManifestInput, signal: AbortSignal): Promise<readonly ManifestLayer[]> {
  const { geometry, writer, base } = input;
  if (base === null) {
    return [toLayer('checkpoint', geometry, writer.recordBytes, await writer.finish(signal))];
  }
  const { layers } = base;
  if (writer.recordBytes === 0 && layers.at(-1)?.sizeBytes === geometry.sizeBytes) {
    return layers;
  }
  const sizes = layers.map(({ bytes }) => bytes);
  const first = planFold(sizes, writer.recordBytes);
  if (first === null) {
    return [...layers, toLayer('delta', geometry, writer.recordBytes, await writer.finish(signal))];
  }
  const newest = await takeNewest(input, base.reader, signal);
  const folded =
    first === 0
      ? await writeCheckpoint(input, base.reader, newest, signal)
      : await foldLayers(input, base, [first, newest], signal);
  return [...layers.slice(0, first), folded];
}

/** From memory if it is there still. */
async function takeNewest(
  { writer, geometry }: ManifestInput,
  reader: ManifestReader,
  signal: AbortSignal,
): Promise<LayerSource> {
  const taken = writer.takeGroups();
  if (taken === null) {
    const layer = toLayer('delta', geometry, writer.recordBytes, await writer.finish(signal));
    return fromStore(reader, layer, geometry);
  }
  const groups = new Map(taken.map(({ group, data }) => [group, data]));
  return {
    geometry,
    groups: [...groups.keys()],
    records: async (group) => {
      const data = groups.get(group);
      return data === undefined ? [] : decodeRecords(data, 'a group of this write');
    },
  };
}

async function fromStore(reader: ManifestReader, layer: ManifestLayer, geometry: DiskGeometry): Promise<LayerSource> {
  const groups = await reader.groupsOf(layer);
  return { geometry, groups, records: (group) => reader.recordsOf(layer, group) };
}

async function foldLayers(
  { geometryOf, geometry, foldWriter }: ManifestInput,
  { reader, layers }: ManifestBase,
  [first, newest]: readonly [number, LayerSource],
  signal: AbortSignal,
): Promise<ManifestLayer> {
  const older = layers.slice(first).map((layer) => fromStore(reader, layer, geometryOf(layer.sizeBytes)));
  const sources = [...(await Promise.all(older)), newest];
  const groups = new Set(sources.flatMap((source) => source.groups));
  for (const group of [...groups].toSorted((a, b) => a - b)) {
    throwIfAborted(signal);
    const parts = await Promise.all(sources.map((source) => partOf(source, group)));
    const records = foldRecords(parts);
    if (records.length > 0) {
      await foldWriter.addGroup(group, records, signal);
    }
  }
  return toLayer('delta', geometry, foldWriter.recordBytes, await foldWriter.finish(signal));
}

async function partOf({ geometry, records }: LayerSource, group: number): Promise<LayerRecords> {
  return { records: await records(group), blocksIn: (segment) => geometry.blocksIn(segment) };
}

async function writeCheckpoint(
  { geometry, foldWriter }: ManifestInput,
  reader: ManifestReader,
  newest: LayerSource,
  signal: AbortSignal,
): Promise<ManifestLayer> {
  for (let first = 0; first < geometry.segmentCount; first += SEGMENTS_PER_GROUP) {
    throwIfAborted(signal);
    const group = first / SEGMENTS_PER_GROUP;
    const written = new Map((await newest.records(group)).map((record) => [record.segment, record]));
    const records: SegmentRecord[] = [];
    for (let segment = first; segment < Math.min(first + SEGMENTS_PER_GROUP, geometry.segmentCount); segment += 1) {
      const table = applyRuns(await reader.segment(segment), written.get(segment)?.runs ?? []);
      const end = geometry.blocksIn(segment);
      records.push({ segment, runs: [{ start: 0, end, entries: truncateTable(table, end) }] });
    }
    await foldWriter.addGroup(group, records, signal);
  }
  return toLayer('checkpoint', geometry, foldWriter.recordBytes, await foldWriter.finish(signal));
}

function toLayer(
  kind: ManifestLayer['kind'],
  { sizeBytes }: DiskGeometry,
  bytes: number,
  packs: ManifestLayer['packs'],
): ManifestLayer {
  return { kind, sizeBytes, bytes, packs };
}
