import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { noSpace } from '../xapi-error.ts';
import { Layer, type Space } from './layer.ts';
import { SharedLock } from './shared-lock.ts';
import { Volume } from './volume.ts';

/** The disks of one storage repository: copy-on-write chains of sparse files under one folder. */
export class Store implements Space {
  readonly folder: string;
  capacity: number;
  /** How long removed snapshots wait before their chain is merged, in milliseconds. */
  readonly mergeDelayMs: number;
  /** Called after chains were merged. */
  onMerged: () => void = () => undefined;
  #used = 0;
  readonly #later = new Map<NodeJS.Timeout, () => void>();
  readonly #volumes = new Set<Volume>();
  #merging: Promise<void> = Promise.resolve();

  constructor(folder: string, capacity: number, mergeDelayMs: number) {
    this.folder = folder;
    this.capacity = capacity;
    this.mergeDelayMs = mergeDelayMs;
  }

  get used(): number {
    return this.#used;
  }

  take(bytes: number): void {
    if (this.#used + bytes > this.capacity) {
      throw noSpace();
    }
    this.#used += bytes;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }

  /** The layers that disks stand on and that are no disk themselves. */
  get baseLayers(): ReadonlySet<Layer> {
    const bases = new Set<Layer>();
    for (const { top } of this.#volumes) {
      for (let layer = top.parent; layer !== undefined; layer = layer.parent) {
        bases.add(layer);
      }
    }
    return bases;
  }

  create(sizeBytes: number): Volume {
    return this.#volume(new Layer(this.#path(), this, sizeBytes), sizeBytes, new SharedLock());
  }

  /** A copy of the volume as it is at this instant; both go on independently. `atThatInstant` runs between two writes. */
  async snapshot(source: Volume, atThatInstant: () => void = () => undefined): Promise<Volume> {
    return await source.lock.exclusive(async () => {
      atThatInstant();
      const base = source.top;
      source.top = new Layer(this.#path(), this, source.sizeBytes, base);
      return await Promise.resolve(
        this.#volume(new Layer(this.#path(), this, source.sizeBytes, base), source.sizeBytes, source.lock),
      );
    });
  }

  async destroy(volume: Volume): Promise<void> {
    this.#volumes.delete(volume);
    const parent = await volume.lock.exclusive(async () => {
      const { top } = volume;
      volume.gone = true;
      await top.remove();
      top.parent?.children.delete(top);
      return top.parent;
    });
    if (parent !== undefined) {
      this.#mergeLater(() => {
        this.#merging = this.#merge(this.#merging, volume, parent);
      });
    }
  }

  /** Merges what is to be merged without waiting any longer. */
  async settle(): Promise<void> {
    for (const [timer, work] of this.#later) {
      clearTimeout(timer);
      work();
    }
    this.#later.clear();
    await this.#merging;
  }

  async close(): Promise<void> {
    for (const timer of this.#later.keys()) {
      clearTimeout(timer);
    }
    await this.#merging;
    for (const volume of this.#volumes) {
      for (let layer: Layer | undefined = volume.top; layer !== undefined; layer = layer.parent) {
        await layer.close();
      }
    }
  }

  /** One chain after the other. */
  async #merge(before: Promise<void>, volume: Volume, layer: Layer): Promise<void> {
    await before;
    await volume.lock.exclusive(async () => {
      await mergeUpwards(layer);
    });
    this.onMerged();
  }

  #mergeLater(work: () => void): void {
    const timer = setTimeout(() => {
      this.#later.delete(timer);
      work();
    }, this.mergeDelayMs);
    this.#later.set(timer, work);
  }

  #volume(top: Layer, sizeBytes: number, lock: SharedLock): Volume {
    const volume = new Volume(top, sizeBytes, lock);
    this.#volumes.add(volume);
    return volume;
  }

  #path(): string {
    return join(this.folder, `${randomUUID()}.blocks`);
  }
}

/** Removes inner layers that nothing stands on, and merges those with a single child. */
async function mergeUpwards(layer: Layer): Promise<void> {
  const { parent } = layer;
  if (layer.absorbed) {
    return;
  }
  if (layer.children.size === 0) {
    await layer.remove();
    parent?.children.delete(layer);
    if (parent !== undefined) {
      await mergeUpwards(parent);
    }
    return;
  }
  const [only] = layer.children;
  if (layer.children.size === 1 && only !== undefined) {
    await only.absorbParent();
  }
}
