import { throwIfAborted } from '../../kernel/abort.ts';
import { limit } from '../../kernel/limit.ts';
import type { DiskGeometry } from '../disk-geometry.ts';
import type { ObjectId } from '../format/ids.ts';
import { packName } from '../format/names.ts';
import { BlockSet } from './block-set.ts';
import { LayerFrames, type FrameSource, type LayerFrame, type MemoryBudget } from './layer-frames.ts';
import type { LayerNode, LayerTree } from './layer-tree.ts';
import { SEGMENTS_PER_GROUP } from './manifest-reader.ts';
import { decodePackIds, visitChunks, visitRuns, type VisitChunk } from './segment-record.ts';

/** Manifests of which none shares a layer with another, under way at the same time. */
const ROOTS_AT_ONCE = 4;
const READS_AT_ONCE = 8;
const WHOLE_BYTES = 32 * 1024 * 1024;

/** What one layer says about one group, as far as some manifest still says it in the end. */
export interface NeededRecords {
  /** The data packs that some entry names, needed or not; `visit` counts by it. */
  readonly packs: readonly ObjectId[];
  /** Holds the digests that `visit` leads to. */
  readonly data: Buffer;
  readonly visit: (use: VisitChunk) => void;
}

export interface VisitScope extends Omit<FrameSource, 'budget'> {
  readonly geometryOf: (sizeBytes: number) => DiskGeometry;
  readonly use: (records: NeededRecords) => Promise<void>;
  /** Of meta packs that are in memory as a whole; 32 MiB if absent. The others are read frame by frame. */
  readonly wholeBytes?: number;
}

/**
 * Finds all chunks that the tables of some manifests name in the end, each entry once however many manifests have it:
 * an entry is left out where, in every manifest that has its layer, layers above it have replaced all of its blocks or
 * cut them off. So it is needed where a damaged layer does not say what it replaces.
 *
 * Reads every meta pack once, a group of segments at a time from all layers that share a checkpoint: memory is what these
 * say about one group.
 */
export async function visitNeeded(tree: LayerTree, scope: VisitScope): Promise<void> {
  const budget = { bytes: scope.wholeBytes ?? WHOLE_BYTES };
  const roots = limit(ROOTS_AT_ONCE);
  const reads = limit(READS_AT_ONCE);
  await Promise.all(Array.from(tree.roots, (root) => roots(() => new RootVisit(root, scope, budget).run(reads))));
}

interface OpenLayer {
  readonly frames: LayerFrames;
  readonly geometry: DiskGeometry;
  readonly isTop: boolean;
  /** Some layer below was written when the disk was larger. */
  readonly cutsOff: boolean;
  readonly lastGroup: number;
  readonly above: readonly OpenLayer[];
  frame: LayerFrame | null;
}

class RootVisit {
  readonly #scope: VisitScope;
  readonly #all: OpenLayer[] = [];
  readonly #root: OpenLayer;

  constructor(root: LayerNode, scope: VisitScope, budget: MemoryBudget) {
    this.#scope = scope;
    this.#root = this.#add(root, { ...scope, budget }, 0);
  }

  async run(reads: ReturnType<typeof limit>): Promise<void> {
    const lastGroup = this.#all.reduce((last, layer) => Math.max(last, layer.lastGroup), -1);
    for (let group = 0; group <= lastGroup; group += 1) {
      throwIfAborted(this.#scope.signal);
      const read = async (layer: OpenLayer): Promise<void> => {
        layer.frame = await layer.frames.read(group);
      };
      await Promise.all(this.#all.map((layer) => reads(() => read(layer))));
      await this.#visit(this.#root, group);
    }
    this.#all.forEach(({ frames }) => frames.end());
  }

  #add({ layer, above, isTop }: LayerNode, source: FrameSource, largestBelow: number): OpenLayer {
    const { sizeBytes, packs } = layer;
    const largest = Math.max(largestBelow, sizeBytes);
    const open: OpenLayer = {
      frames: new LayerFrames(source, layer),
      geometry: this.#scope.geometryOf(sizeBytes),
      isTop,
      cutsOff: sizeBytes < largestBelow,
      lastGroup: packs.at(-1)?.lastGroup ?? -1,
      above: Array.from(above.values(), (each) => this.#add(each, source, largest)),
      frame: null,
    };
    this.#all.push(open);
    return open;
  }

  /** Returns the blocks that are replaced or cut off, by this layer or above, in every manifest that has the layer. */
  async #visit(layer: OpenLayer, group: number): Promise<BlockSet> {
    const { geometry, above, isTop, frame, cutsOff } = layer;
    const blocks = geometry.segmentBytes / geometry.blockBytes;
    const [first, ...others] = above;
    let replaced = first === undefined ? new BlockSet(blocks) : await this.#visit(first, group);
    for (const other of others) {
      replaced.keep(await this.#visit(other, group));
    }
    if (isTop) {
      replaced = new BlockSet(blocks);
    }
    if (frame !== null) {
      await this.#visitFrame(frame, replaced);
    }
    const end = (group + 1) * SEGMENTS_PER_GROUP;
    const start = cutsOff ? Math.floor(geometry.sizeBytes / geometry.segmentBytes) : end;
    for (let segment = Math.max(start, group * SEGMENTS_PER_GROUP); segment < end; segment += 1) {
      replaced.add(segment, geometry.blocksIn(segment), blocks);
    }
    return replaced;
  }

  async #visitFrame({ pack, data }: LayerFrame, replaced: BlockSet): Promise<void> {
    const name = packName('meta', pack);
    const visit = (use: VisitChunk): void =>
      visitChunks(data, name, (place, position, frame, digestAt) => {
        if (!replaced.hasAll(place.segment, place.start, place.end)) {
          use(place, position, frame, digestAt);
        }
      });
    try {
      await this.#scope.use({ packs: decodePackIds(data, name), data, visit });
      visitRuns(data, name, ({ segment, start, end }) => replaced.add(segment, start, end));
    } catch (error) {
      this.#scope.onDamage(pack, error);
    }
  }
}
