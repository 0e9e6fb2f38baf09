import type { DiskGeometry } from '../disk-geometry.ts';
import { corrupt } from '../format/header.ts';
import type { ObjectId } from '../format/ids.ts';
import { packName } from '../format/names.ts';
import type { ReadRange } from '../format/pack-reader.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store } from '../ports/store.ts';
import type { DiskManifest, ManifestLayer, ManifestPack } from './manifest-types.ts';
import { openMetaPack, type MetaPack } from './meta-pack.ts';
import { readMetaTable } from './read-meta-table.ts';
import { decodePackIds, decodeRecords, type SegmentRecord } from './segment-record.ts';
import { applyRuns, tableBlocks, truncateTable, type SegmentTable } from './segment-table.ts';

/** Segments whose records share a frame of a meta pack. */
export const SEGMENTS_PER_GROUP = 64;
const CACHED_GROUPS = 4;

/** A layer's records of one group, and where they are from. */
interface GroupFrame {
  readonly data: Buffer;
  readonly name: string;
}

/** What a disk consists of, a segment at a time, from its checkpoint and deltas. Holds a few groups in memory. */
export class ManifestReader {
  readonly #store: Store;
  readonly #secrets: RepositorySecrets;
  readonly #manifest: DiskManifest;
  readonly #packs = new Map<ObjectId, Promise<MetaPack>>();
  readonly #groups = new Map<number, Promise<ReadonlyMap<number, SegmentTable>>>();
  readonly #geometryOf: (sizeBytes: number) => DiskGeometry;

  constructor(
    store: Store,
    secrets: RepositorySecrets,
    manifest: DiskManifest,
    geometryOf: (sizeBytes: number) => DiskGeometry,
  ) {
    this.#store = store;
    this.#secrets = secrets;
    this.#manifest = manifest;
    this.#geometryOf = geometryOf;
  }

  get geometry(): DiskGeometry {
    return this.#geometryOf(this.#manifest.sizeBytes);
  }

  /** The whole table of a segment. VAULT_CORRUPT if the layers don't add up to it. */
  async segment(index: number): Promise<SegmentTable> {
    const group = Math.floor(index / SEGMENTS_PER_GROUP);
    let loading = this.#groups.get(group);
    if (loading === undefined) {
      loading = this.#loadGroup(group);
      this.#groups.set(group, loading);
      loading.catch(() => this.#groups.delete(group));
      const [oldest] = this.#groups.keys();
      if (this.#groups.size > CACHED_GROUPS && oldest !== undefined) {
        this.#groups.delete(oldest);
      }
    }
    const table = (await loading).get(index) ?? [];
    if (tableBlocks(table) !== this.geometry.blocksIn(index)) {
      throw corrupt(`The manifest of disk ${this.#manifest.diskKey}`, `does not cover segment ${index}`);
    }
    return table;
  }

  /** Whether some layer's records of a group name one of these packs; a layer above may have replaced them. */
  async mentions(group: number, packs: ReadonlySet<ObjectId>): Promise<boolean> {
    const frames = await Promise.all(this.#manifest.layers.map((layer) => this.#readFrame(layer, group)));
    return frames.some((frame) => frame !== null && decodePackIds(frame.data, frame.name).some((id) => packs.has(id)));
  }

  /** Groups that a layer has records of. */
  async groupsOf(layer: ManifestLayer): Promise<readonly number[]> {
    const packs = await Promise.all(layer.packs.map((place) => this.#pack(place)));
    return packs.flatMap(({ frameOf }) => [...frameOf.keys()]);
  }

  /** What one layer says, by itself. */
  async recordsOf(layer: ManifestLayer, group: number): Promise<readonly SegmentRecord[]> {
    return toRecords(await this.#readFrame(layer, group));
  }

  async #loadGroup(group: number): Promise<ReadonlyMap<number, SegmentTable>> {
    const { layers } = this.#manifest;
    const frames = await Promise.all(layers.map((layer) => this.#readFrame(layer, group)));
    const tables = new Map<number, SegmentTable>();
    for (const [i, { sizeBytes }] of layers.entries()) {
      const geometry = this.#geometryOf(sizeBytes);
      for (const record of toRecords(frames[i] ?? null)) {
        tables.set(record.segment, applyRuns(tables.get(record.segment) ?? [], record.runs));
      }
      for (const [segment, table] of tables) {
        tables.set(segment, truncateTable(table, geometry.blocksIn(segment)));
      }
    }
    return tables;
  }

  async #readFrame(layer: ManifestLayer, group: number): Promise<GroupFrame | null> {
    const place = layer.packs.find((pack) => pack.firstGroup <= group && group <= pack.lastGroup);
    if (place === undefined) {
      return null;
    }
    const pack = await this.#pack(place);
    const frame = pack.frameOf.get(group);
    return frame === undefined ? null : { data: await pack.read(frame), name: packName('meta', place.id) };
  }

  #pack(place: ManifestPack): Promise<MetaPack> {
    const { id } = place;
    let loading = this.#packs.get(id);
    if (loading === undefined) {
      loading = this.#openPack(place);
      this.#packs.set(id, loading);
      loading.catch(() => this.#packs.delete(id));
    }
    return loading;
  }

  async #openPack(place: ManifestPack): Promise<MetaPack> {
    const table = await readMetaTable(this.#store, place, this.#secrets);
    const read: ReadRange = (offset, into) => this.#store.getRange(table.opener.name, offset, into);
    return openMetaPack(table, read, this.#secrets.digestKey);
  }
}

function toRecords(frame: GroupFrame | null): readonly SegmentRecord[] {
  return frame === null ? [] : decodeRecords(frame.data, frame.name);
}
