import { throwIfAborted } from '../../kernel/abort.ts';
import type { AppError } from '../../kernel/errors.ts';
import type { ObjectId } from '../format/ids.ts';
import { packName } from '../format/names.ts';
import { ManifestReader, SEGMENTS_PER_GROUP } from '../manifest/manifest-reader.ts';
import type { ChunkRef } from '../manifest/segment-record.ts';
import { placeEntries, type PlacedEntry } from '../manifest/segment-table.ts';
import { geometryOf, type RepositoryContext } from '../repository-context.ts';
import type { ChunkReader } from '../restore/chunk-reader.ts';
import type { DiskManifest } from '../manifest/manifest-types.ts';
import { orDamage } from './diagnose.ts';
import { isFrameLost, resolveChunk } from './resolve-chunk.ts';
import { RangeList } from './range-list.ts';
import type { SurveyedPoint } from './survey-points.ts';
import type { DamagedDisk, DamagedObject, DamagedPoint } from './verify-types.ts';

export interface TraceOptions {
  /** Reads nothing that was remembered from before the damage. */
  readonly chunks: ChunkReader;
  /** Damaged data packs by their ids. */
  readonly packs: ReadonlyMap<ObjectId, DamagedObject>;
  /** Not in the store, whether anybody needs them or not. */
  readonly isGone: (pack: ObjectId) => boolean;
  /** Also hold every entry against the table of the pack that it names. */
  readonly checkEntries: boolean;
  readonly signal: AbortSignal;
}

/** Which ranges of a restore point's disks can't be restored; null if all can. */
export async function tracePoint(
  context: RepositoryContext,
  point: SurveyedPoint,
  options: TraceOptions,
): Promise<DamagedPoint | null> {
  const objects = new Set<string>();
  const disks: DamagedDisk[] = [];
  for (const manifest of point.disks) {
    const ranges = await new DiskTrace(context, manifest, options, objects).run();
    if (ranges.list.length > 0) {
      const { diskKey, sizeBytes } = manifest;
      disks.push({ diskKey, sizeBytes, ranges: ranges.list, lostBytes: ranges.bytes });
    }
  }
  const { pointId, vmId, takenAt } = point;
  return disks.length === 0 ? null : { pointId, vmId, takenAt, disks, objects: [...objects].toSorted() };
}

class DiskTrace {
  readonly #context: RepositoryContext;
  readonly #reader: ManifestReader;
  readonly #options: TraceOptions;
  readonly #objects: Set<string>;
  readonly #ranges = new RangeList();

  constructor(context: RepositoryContext, manifest: DiskManifest, options: TraceOptions, objects: Set<string>) {
    const { store, secrets } = context;
    this.#context = context;
    this.#reader = new ManifestReader(store, secrets, manifest, (size) => geometryOf(context, size));
    this.#options = options;
    this.#objects = objects;
  }

  async run(): Promise<RangeList> {
    const { segmentCount, segmentBytes } = this.#reader.geometry;
    for (let segment = 0; segment < segmentCount; segment += 1) {
      throwIfAborted(this.#options.signal);
      const table = await orDamage(this.#reader.segment(segment));
      if (Array.isArray(table)) {
        await this.#traceSegment(segment * segmentBytes, placeEntries(table));
      } else {
        segment = this.#loseSegments(segment, table as AppError) - 1;
      }
    }
    return this.#ranges;
  }

  /** Returns the segment to go on with: a damaged meta pack costs the whole group. */
  #loseSegments(segment: number, error: AppError): number {
    const { segmentBytes, segmentCount, sizeBytes } = this.#reader.geometry;
    const object = String(error.data['object'] ?? '');
    const isMetaPack = object.startsWith('meta/');
    const group = Math.floor(segment / SEGMENTS_PER_GROUP);
    const end = isMetaPack ? Math.min(segmentCount, (group + 1) * SEGMENTS_PER_GROUP) : segment + 1;
    this.#ranges.add(segment * segmentBytes, Math.min(sizeBytes, end * segmentBytes));
    if (isMetaPack) {
      this.#objects.add(object);
    }
    return end;
  }

  async #traceSegment(first: number, entries: readonly PlacedEntry[]): Promise<void> {
    const { blockBytes, sizeBytes } = this.#reader.geometry;
    for (const { start, end, entry } of entries) {
      const from = first + start * blockBytes;
      const to = Math.min(first + end * blockBytes, sizeBytes);
      const lostWith = entry.chunk === null ? null : await this.#findLoss(entry.chunk, to - from);
      if (lostWith !== null) {
        this.#objects.add(packName('data', lostWith));
        this.#ranges.add(from, to);
      }
    }
  }

  /**
   * The pack to blame, or null where the chunk can be had. Resolved as a reader does it: where it is named, unless that
   * pack is condemned or the frame can't be opened any more; else by digest.
   */
  async #findLoss(chunk: ChunkRef, bytes: number): Promise<ObjectId | null> {
    const { packs, isGone, chunks, checkEntries } = this.#options;
    const damage = packs.get(chunk.pack);
    const stays = !this.#context.condemned.has(chunk.pack) && !isFrameLost(damage, chunk.frame) && !isGone(chunk.pack);
    if (stays && !checkEntries) {
      return null;
    }
    const isLost = (pack: ObjectId, frame: number): boolean => isFrameLost(packs.get(pack), frame);
    const { pack, frame } = await resolveChunk(chunks, chunk, isLost);
    return frame?.rawBytes === bytes ? null : pack;
  }
}
