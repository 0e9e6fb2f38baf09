/** A meta pack and which groups of segments it speaks of. */
export interface ManifestPack {
  readonly id: string;
  readonly firstGroup: number;
  readonly lastGroup: number;
  /** Of the digests of its frames: 32 hex digits. Restore points of before don't say it. */
  readonly contents?: string;
}

/** One layer of a disk's manifest: the meta packs that hold it, in the order of their groups. */
export interface ManifestLayer {
  readonly kind: 'checkpoint' | 'delta';
  /** The disk's size when the layer was written. */
  readonly sizeBytes: number;
  /** Of its records, before they are compressed: what says which layers are to become one. */
  readonly bytes: number;
  readonly packs: readonly ManifestPack[];
}

/** How a disk of a restore point is found again. */
export interface DiskManifest {
  readonly diskKey: string;
  readonly sizeBytes: number;
  /** One checkpoint, then at most 32 deltas in the order they apply. */
  readonly layers: readonly ManifestLayer[];
}
