import { throwIfAborted } from '../../kernel/abort.ts';
import type { DiskGeometry } from '../disk-geometry.ts';
import { corrupt } from '../format/header.ts';
import { foldedGroups } from '../manifest/fold-layers.ts';
import { planFold } from '../manifest/fold-plan.ts';
import type { ManifestReader } from '../manifest/manifest-reader.ts';
import type { ManifestWriter } from '../manifest/manifest-writer.ts';
import type { ManifestLayer } from '../manifest/manifest-types.ts';

export interface ManifestBase {
  readonly reader: ManifestReader;
  readonly layers: readonly ManifestLayer[];
}

export interface ManifestInput {
  readonly geometry: DiskGeometry;
  readonly geometryOf: (sizeBytes: number) => DiskGeometry;
  /** Has been given all groups that were written. */
  readonly writer: ManifestWriter;
  /** For what several layers of the base become. */
  readonly foldWriter: ManifestWriter;
  /** Null: the records cover the whole disk. */
  readonly base: ManifestBase | null;
}

/**
 * The layers of a disk that was just written: a checkpoint, or the base's and a delta more. Where there are too many, the
 * base's newest become one, without the delta: a folded layer is nothing but what older points have in others, so that it
 * can be made again from theirs.
 */
export async function finishManifest(input: ManifestInput, signal: AbortSignal): Promise<readonly ManifestLayer[]> {
  const { geometry, writer, base } = input;
  if (base === null) {
    return [toLayer('checkpoint', geometry, writer.recordBytes, await writer.finish(signal))];
  }
  const { layers } = base;
  if (writer.recordBytes === 0 && layers.at(-1)?.sizeBytes === geometry.sizeBytes) {
    return layers;
  }
  const delta = toLayer('delta', geometry, writer.recordBytes, await writer.finish(signal));
  const first = planFold(layers.map(({ bytes }) => bytes));
  return first === null ? [...layers, delta] : [...(await foldBase(input, base, first, signal)), delta];
}

/** The base's layers, with those from `first` on as one. */
async function foldBase(
  { geometryOf, foldWriter }: ManifestInput,
  { reader, layers }: ManifestBase,
  first: number,
  signal: AbortSignal,
): Promise<readonly ManifestLayer[]> {
  const parts = layers.slice(first);
  const geometry = geometryOf(parts.at(-1)?.sizeBytes ?? 0);
  let blocks = 0;
  for await (const { group, records } of foldedGroups(reader, parts, geometryOf)) {
    throwIfAborted(signal);
    await foldWriter.addGroup(group, records, signal);
    blocks += records.flatMap(({ runs }) => runs).reduce((sum, { start, end }) => sum + end - start, 0);
  }
  const kind = first === 0 ? 'checkpoint' : 'delta';
  if (kind === 'checkpoint' && blocks !== Math.ceil(geometry.sizeBytes / geometry.blockBytes)) {
    throw corrupt('The manifest that this write goes on from', `covers ${blocks} blocks of its disk only`);
  }
  const folded = toLayer(kind, geometry, foldWriter.recordBytes, await foldWriter.finish(signal));
  // What an interrupted call left under its names must be whole: the commit looks at the newest layer only.
  await reader.groupsOf(folded);
  return [...layers.slice(0, first), folded];
}

function toLayer(
  kind: ManifestLayer['kind'],
  { sizeBytes }: DiskGeometry,
  bytes: number,
  packs: ManifestLayer['packs'],
): ManifestLayer {
  return { kind, sizeBytes, bytes, packs };
}
