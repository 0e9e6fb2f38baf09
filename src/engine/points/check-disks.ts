import { AppError } from '../../kernel/errors.ts';
import { isObjectId } from '../format/ids.ts';
import type { DiskManifest, ManifestLayer } from '../manifest/manifest-types.ts';
import type { DiskResult } from '../write/write-types.ts';
import { MAX_DELTAS } from '../manifest/fold-plan.ts';

/**
 * A disk's result has been in other hands between its writing and its commit. BAD_INPUT where it can't be what a write
 * returned, or where two disks have one key: only the first of them would ever be restored.
 */
export function checkDisks(disks: readonly DiskResult[]): void {
  const keys = new Set<string>();
  for (const disk of disks) {
    if (keys.has(disk.diskKey)) {
      throw new AppError('BAD_INPUT', `Two disks of one restore point have the key ${disk.diskKey}.`);
    }
    keys.add(disk.diskKey);
    if (!isWhole(disk)) {
      throw new AppError('BAD_INPUT', `Disk ${disk.diskKey} is to be committed with what no write of it returned.`);
    }
  }
}

function isWhole({ diskKey, sizeBytes, manifest }: DiskResult): boolean {
  const { layers } = manifest;
  return (
    manifest.diskKey === diskKey &&
    manifest.sizeBytes === sizeBytes &&
    layers.at(-1)?.sizeBytes === sizeBytes &&
    layers.length <= MAX_DELTAS + 1 &&
    layers.every((layer, i) => layer.kind === (i === 0 ? 'checkpoint' : 'delta') && isLayer(layer)) &&
    namesPacksOnly(manifest)
  );
}

/** Packs in the order of their groups, none of which is in two of them. */
function isLayer({ packs }: ManifestLayer): boolean {
  return packs.every(({ firstGroup, lastGroup }, i) => {
    const before = packs[i - 1]?.lastGroup ?? -1;
    return before < firstGroup && firstGroup <= lastGroup;
  });
}

/** Ids become names of objects: they must be ids. */
function namesPacksOnly({ layers }: DiskManifest): boolean {
  return layers.every(({ packs }) => packs.every(({ id }) => isObjectId(id)));
}
