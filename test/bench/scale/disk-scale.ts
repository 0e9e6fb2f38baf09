import { DiskGeometry } from '../../../src/engine/disk-geometry.ts';
import { ManifestReader, SEGMENTS_PER_GROUP } from '../../../src/engine/manifest/manifest-reader.ts';
import { ManifestWriter } from '../../../src/engine/manifest/manifest-writer.ts';
import type { ManifestEntry, SegmentRecord } from '../../../src/engine/manifest/segment-record.ts';
import { placeEntries } from '../../../src/engine/manifest/segment-table.ts';
import { DEFAULT_PARAMETERS } from '../../../src/engine/repository-parameters.ts';
import type { ManifestLayer } from '../../../src/engine/manifest/manifest-types.ts';
import { ChangeMap } from '../../../src/engine/write/change-map.ts';
import { LayerSpill } from '../../../src/engine/write/layer-spill.ts';
import { finishManifest } from '../../../src/engine/write/write-manifest.ts';
import { expectDisk } from '../../../src/engine/young-generation.ts';
import { GIB, KIB } from '../../../src/kernel/bytes.ts';
import { numbersFrom } from '../engine-image.ts';
import { CHUNKS_PER_PACK, packOf, writeDigest } from './generated-store.ts';
import { openScaleVault, peakMb, type ScaleVault } from './scale-vault.ts';

/** Of average length. */
const BLOCKS_PER_CHUNK = DEFAULT_PARAMETERS.averageChunkBytes / DEFAULT_PARAMETERS.blockBytes;
const CHUNKS_PER_SEGMENT = DEFAULT_PARAMETERS.segmentBytes / DEFAULT_PARAMETERS.averageChunkBytes;
const RUNS = 400;
/** What a light run touches, and how much of it is the same again and again. */
const TOUCHED_SEGMENTS = 24;
const HOT_OF_100 = 50;
const CHECKPOINT_EVERY = 33;
const NOTHING_SETTLED = {
  size: 0,
  has: () => false,
  read: (segment: number): Promise<SegmentRecord> => Promise.reject(new Error(`segment ${segment} was not settled`)),
};

/** As the engine begins work on a disk of that size. */
async function openDisk(folder: string, gib: number): Promise<Disk> {
  expectDisk(gib * GIB);
  return { vault: await openScaleVault(folder, 0), geometry: geometryOf(gib * GIB) };
}

function geometryOf(sizeBytes: number): DiskGeometry {
  return new DiskGeometry(sizeBytes, DEFAULT_PARAMETERS);
}

let lastPack = { number: -1, id: '' };

function chunkEntry(blocks: number, chunk: number): ManifestEntry {
  const digest = Buffer.alloc(16);
  writeDigest(chunk, digest, 0);
  const number = Math.floor(chunk / CHUNKS_PER_PACK);
  lastPack = lastPack.number === number ? lastPack : { number, id: packOf(number) };
  return { blocks, chunk: { pack: lastPack.id, frame: chunk % CHUNKS_PER_PACK, digest } };
}

/** A segment full of chunks of average length. */
function fullRecord(segment: number, blocks: number, version: number): SegmentRecord {
  const entries: ManifestEntry[] = [];
  for (let at = 0; at < blocks; at += BLOCKS_PER_CHUNK) {
    const chunk = segment * CHUNKS_PER_SEGMENT + Math.floor(at / BLOCKS_PER_CHUNK) + version * 7919;
    entries.push(chunkEntry(Math.min(BLOCKS_PER_CHUNK, blocks - at), chunk));
  }
  return { segment, runs: [{ start: 0, end: blocks, entries }] };
}

interface Disk {
  readonly vault: ScaleVault;
  readonly geometry: DiskGeometry;
}

interface WrittenLayers {
  readonly layers: readonly ManifestLayer[];
  readonly storedBytes: number;
}

async function write(
  { vault, geometry }: Disk,
  base: readonly ManifestLayer[] | null,
  segments: readonly number[],
  recordOf: (segment: number) => SegmentRecord,
): Promise<WrittenLayers> {
  const { store, secrets } = vault;
  const { signal } = new AbortController();
  const owner = `scale ${performance.now()}`;
  const writer = new ManifestWriter(store, secrets, owner);
  const foldWriter = new ManifestWriter(store, secrets, owner);
  const spill = new LayerSpill(writer, segments, NOTHING_SETTLED, signal);
  for (const segment of segments) {
    await spill.add(recordOf(segment));
  }
  await spill.finish();
  const from = base === null ? null : { reader: readerOf({ vault, geometry }, base), layers: base };
  const layers = await finishManifest({ geometry, geometryOf, writer, foldWriter, base: from }, signal);
  return { layers, storedBytes: writer.storedBytes + foldWriter.storedBytes };
}

function readerOf({ vault, geometry }: Disk, layers: readonly ManifestLayer[]): ManifestReader {
  const manifest = { diskKey: 'scale', sizeBytes: geometry.sizeBytes, layers };
  return new ManifestReader(vault.store, vault.secrets, manifest, geometryOf);
}

/** Writes and reads the manifest of a full disk of that size, then of a run that changed little of it. */
export async function scaleDisk(folder: string, gib: number): Promise<Record<string, number>> {
  const disk = await openDisk(folder, gib);
  const { geometry } = disk;
  const start = performance.now();
  const all = Array.from({ length: geometry.segmentCount }, (_, segment) => segment);
  const full = await write(disk, null, all, (segment) => fullRecord(segment, geometry.blocksIn(segment), 0));
  const written = performance.now();
  const reader = readerOf(disk, full.layers);
  let entries = 0;
  for (const segment of all) {
    entries += (await reader.segment(segment)).length;
  }
  const read = performance.now();
  const changed = Array.from({ length: 1000 }, (_, i) => ({
    offset: Math.floor((i * geometry.sizeBytes) / 1000 / (64 * KIB)) * 64 * KIB,
    length: 64 * KIB,
  }));
  const map = new ChangeMap(changed, geometry, geometry.sizeBytes);
  const light = await write(disk, full.layers, map.segments, (segment) => changeRecord(segment, 0, 1));
  const name = `disk of ${gib} GiB`;
  return {
    [`${name}: entries`]: entries,
    [`${name}: MB stored`]: full.storedBytes / 1e6,
    [`${name}: written, s`]: (written - start) / 1000,
    [`${name}: read, s`]: (read - written) / 1000,
    [`${name}: KB of a run with 1000 changes`]: light.storedBytes / 1e3,
    [`${name}: s of that run`]: (performance.now() - read) / 1000,
    [`${name}: peak memory, MB`]: peakMb(),
  };
}

function changeRecord(segment: number, chunk: number, version: number): SegmentRecord {
  const start = chunk * BLOCKS_PER_CHUNK;
  const entries = [chunkEntry(BLOCKS_PER_CHUNK, segment * CHUNKS_PER_SEGMENT + chunk + version * 7919)];
  return { segment, runs: [{ start, end: start + BLOCKS_PER_CHUNK, entries }] };
}

/** 400 light runs of one disk: what is written for each, and of how many layers a disk consists. */
export async function scaleRuns(folder: string, gib: number): Promise<Record<string, number>> {
  const disk = await openDisk(folder, gib);
  const { geometry } = disk;
  const next = numbersFrom(4711);
  const all = Array.from({ length: geometry.segmentCount }, (_, segment) => segment);
  const full = await write(disk, null, all, (segment) => fullRecord(segment, geometry.blocksIn(segment), 0));
  const model = new Map<number, number>();
  let { layers } = full;
  const sums = { stored: 0, deltas: 0, layers: 0, most: 0 };
  const start = performance.now();
  for (let run = 1; run <= RUNS; run += 1) {
    const hot = (): number => (next(100) < HOT_OF_100 ? next(8) : next(geometry.segmentCount));
    const segments = [...new Set(Array.from({ length: TOUCHED_SEGMENTS }, hot))].toSorted((a, b) => a - b);
    const records = new Map(segments.map((segment) => [segment, changeRecord(segment, next(CHUNKS_PER_SEGMENT), run)]));
    records.forEach(({ runs }, segment) =>
      model.set(segment * CHUNKS_PER_SEGMENT + (runs[0]?.start ?? 0) / BLOCKS_PER_CHUNK, run),
    );
    const before = layers;
    const written = await write(
      disk,
      before,
      segments,
      (segment) => records.get(segment) ?? changeRecord(segment, 0, run),
    );
    layers = written.layers;
    sums.stored += written.storedBytes;
    sums.deltas += await deltaBytes(disk, segments, records);
    sums.layers += layers.length;
    sums.most = Math.max(sums.most, layers.length);
  }
  const seconds = (performance.now() - start) / 1000;
  await requireModel(readerOf(disk, layers), model);
  const asCheckpoints = sums.deltas + Math.floor(RUNS / CHECKPOINT_EVERY) * full.storedBytes;
  const name = `${RUNS} runs of ${gib} GiB`;
  return {
    [`${name}: KB a run`]: sums.stored / RUNS / 1e3,
    [`${name}: written for each byte of deltas`]: sums.stored / sums.deltas,
    [`${name}: the same with a checkpoint every ${CHECKPOINT_EVERY}rd`]: asCheckpoints / sums.deltas,
    [`${name}: layers, mean`]: sums.layers / RUNS,
    [`${name}: layers, most`]: sums.most,
    [`${name}: ms a run`]: (1000 * seconds) / RUNS,
    [`${name}: peak memory, MB`]: peakMb(),
  };
}

/** Of the run's own records, as a layer of their own. */
async function deltaBytes(
  { vault }: Disk,
  segments: readonly number[],
  records: ReadonlyMap<number, SegmentRecord>,
): Promise<number> {
  const writer = new ManifestWriter(vault.store, vault.secrets, 'scale delta');
  const groups = Map.groupBy(segments, (segment) => Math.floor(segment / SEGMENTS_PER_GROUP));
  for (const [group, members] of groups) {
    await writer.addGroup(
      group,
      members.flatMap((segment) => records.get(segment) ?? []),
    );
  }
  await writer.finish();
  return writer.storedBytes;
}

async function requireModel(reader: ManifestReader, model: ReadonlyMap<number, number>): Promise<void> {
  for (const [place, run] of model) {
    const [segment, chunk] = [Math.floor(place / CHUNKS_PER_SEGMENT), place % CHUNKS_PER_SEGMENT];
    const found = placeEntries(await reader.segment(segment)).find(({ start }) => start === chunk * BLOCKS_PER_CHUNK);
    const wanted = chunkEntry(BLOCKS_PER_CHUNK, place + run * 7919).chunk?.digest ?? [];
    if (Buffer.compare(found?.entry.chunk?.digest ?? Buffer.alloc(0), Buffer.from(wanted)) !== 0) {
      throw new Error(`chunk ${chunk} of segment ${segment} is not what run ${run} wrote`);
    }
  }
}
