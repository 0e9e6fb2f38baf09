import type { ManifestLayer } from './manifest-types.ts';

/** A layer, once for all manifests that have it on the same layers. */
export interface LayerNode {
  readonly layer: ManifestLayer;
  /** What lies on it. */
  readonly above: Map<string, LayerNode>;
  /** Some manifest ends here: everything that it says in the end is what somebody reads. */
  isTop: boolean;
}

/** Manifests by the layers that they share: a disk's older ones are mostly the beginning of its newer ones. */
export class LayerTree {
  readonly #bottom = new Map<string, LayerNode>();
  #packs = 0;

  /** Meta packs of all layers. */
  get packCount(): number {
    return this.#packs;
  }

  /** By themselves: none shares a layer with another. */
  get roots(): Iterable<LayerNode> {
    return this.#bottom.values();
  }

  add(layers: readonly ManifestLayer[]): void {
    let nodes = this.#bottom;
    let top: LayerNode | null = null;
    for (const layer of layers) {
      const key = keyOf(layer);
      const known = nodes.get(key);
      this.#packs += known === undefined ? layer.packs.length : 0;
      top = known ?? { layer, above: new Map(), isTop: false };
      nodes.set(key, top);
      nodes = top.above;
    }
    if (top !== null) {
      top.isTop = true;
    }
  }
}

/** The size too: the same records, or none, cut off something else. */
function keyOf({ sizeBytes, packs }: ManifestLayer): string {
  const places = packs.map(({ id, firstGroup, lastGroup, contents }) => `${id} ${firstGroup} ${lastGroup} ${contents}`);
  return [sizeBytes, ...places].join('\n');
}
