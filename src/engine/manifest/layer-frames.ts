import { corrupt, OBJECT_KIND } from '../format/header.ts';
import type { ObjectId } from '../format/ids.ts';
import { packName } from '../format/names.ts';
import { readFrameTable, type ReadRange } from '../format/pack-reader.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store, StoredObject } from '../ports/store.ts';
import type { ManifestLayer, ManifestPack } from './manifest-types.ts';
import { requireContents } from './meta-contents.ts';
import { openMetaPack, type MetaPack } from './meta-pack.ts';

/** A layer's records of one group, and the meta pack that holds them. */
export interface LayerFrame {
  readonly pack: ObjectId;
  readonly data: Buffer;
}

/** Of packs that are in memory as a whole, at the same time. */
export interface MemoryBudget {
  bytes: number;
}

export interface FrameSource {
  readonly store: Store;
  readonly secrets: RepositorySecrets;
  readonly budget: MemoryBudget;
  readonly signal: AbortSignal;
  /** Throws again what is no damage; else the pack counts as if it said nothing. */
  readonly onDamage: (pack: ObjectId, error: unknown) => void;
  /** A pack is done with. */
  readonly onPack: () => void;
}

/**
 * Reads a layer's groups in ascending order. A pack comes whole, in one request, as long as the budget has room; else
 * frame by frame.
 */
export class LayerFrames {
  readonly #source: FrameSource;
  readonly #places: readonly ManifestPack[];
  #next = 0;
  /** False: it does not open. */
  #pack: MetaPack | false | null = null;
  #held = 0;

  constructor(source: FrameSource, { packs }: ManifestLayer) {
    this.#source = source;
    this.#places = packs;
  }

  /** Null where the layer says nothing about the group. */
  async read(group: number): Promise<LayerFrame | null> {
    let place = this.#places[this.#next];
    while (place !== undefined && place.lastGroup < group) {
      this.#close();
      this.#next += 1;
      place = this.#places[this.#next];
    }
    if (place === undefined || group < place.firstGroup) {
      return null;
    }
    const { id } = place;
    try {
      this.#pack ??= await this.#open(place);
      const frame = this.#pack === false ? undefined : this.#pack.frameOf.get(group);
      return frame === undefined || this.#pack === false ? null : { pack: id, data: await this.#pack.read(frame) };
    } catch (error) {
      this.#source.onDamage(id, error);
      this.#pack ??= false;
      return null;
    }
  }

  /** Gives back what the last pack took. */
  end(): void {
    while (this.#next < this.#places.length) {
      this.#close();
      this.#next += 1;
    }
  }

  #close(): void {
    this.#source.budget.bytes += this.#held;
    this.#held = 0;
    this.#pack = null;
    this.#source.onPack();
  }

  async #open({ id, contents }: ManifestPack): Promise<MetaPack> {
    const { store, secrets, signal } = this.#source;
    const name = packName('meta', id);
    const found = await store.head(name);
    if (found === null) {
      throw corrupt(name, 'is missing from the store');
    }
    const { sizeBytes } = found;
    const read = this.#take(sizeBytes)
      ? await readWhole(store, { name, sizeBytes }, signal)
      : (offset: number, into: Uint8Array): Promise<void> => store.getRange(name, offset, into, signal);
    const table = await readFrameTable(read, { name, id, kind: OBJECT_KIND.metaPack, sizeBytes }, secrets);
    requireContents(table, contents, secrets.digestKey);
    return openMetaPack(table, read, secrets.digestKey);
  }

  #take(bytes: number): boolean {
    const { budget } = this.#source;
    if (bytes > budget.bytes) {
      return false;
    }
    budget.bytes -= bytes;
    this.#held = bytes;
    return true;
  }
}

async function readWhole(store: Store, { name, sizeBytes }: StoredObject, signal: AbortSignal): Promise<ReadRange> {
  const data = await store.get(name, { signal, maxBytes: sizeBytes });
  return async (offset, into) => into.set(data.subarray(offset, offset + into.length));
}
