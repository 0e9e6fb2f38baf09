import type { ObjectId } from '../format/ids.ts';
import { ManifestReader } from '../manifest/manifest-reader.ts';
import type { SegmentRecord } from '../manifest/segment-record.ts';
import type { SegmentTable } from '../manifest/segment-table.ts';
import { geometryOf, type RepositoryContext } from '../repository-context.ts';
import type { DiskManifest, ManifestLayer } from '../manifest/manifest-types.ts';
import { isDamage } from '../verify/diagnose.ts';

export interface BaseHealth {
  isDamaged: boolean;
}

/** The manifest that a write goes on from. That it can't be read is noted, whatever else fails because of that. */
export class BaseManifest extends ManifestReader {
  readonly #layers: readonly ManifestLayer[];
  readonly #health: BaseHealth;

  constructor(context: RepositoryContext, manifest: DiskManifest, health: BaseHealth) {
    super(context.store, context.secrets, manifest, (size) => geometryOf(context, size));
    this.#layers = manifest.layers;
    this.#health = health;
  }

  /** All meta packs are there and open: those of groups that did not change are inherited without being read. */
  async requireLayers(): Promise<void> {
    for (const layer of this.#layers) {
      await this.groupsOf(layer);
    }
  }

  override segment(index: number): Promise<SegmentTable> {
    return noteDamage(this.#health, super.segment(index));
  }

  override mentions(group: number, packs: ReadonlySet<ObjectId>): Promise<boolean> {
    return noteDamage(this.#health, super.mentions(group, packs));
  }

  override groupsOf(layer: ManifestLayer): Promise<readonly number[]> {
    return noteDamage(this.#health, super.groupsOf(layer));
  }

  override recordsOf(layer: ManifestLayer, group: number): Promise<readonly SegmentRecord[]> {
    return noteDamage(this.#health, super.recordsOf(layer, group));
  }
}

export async function noteDamage<T>(health: BaseHealth, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (isDamage(error)) {
      health.isDamaged = true;
    }
    throw error;
  }
}
