import type { ObjectId } from '../format/ids.ts';
import { keyedDigest } from '../keys/digest.ts';
import { foldedGroups } from '../manifest/fold-layers.ts';
import { metaContents } from '../manifest/meta-contents.ts';
import { ManifestReader } from '../manifest/manifest-reader.ts';
import { encodeDirectory, manifestOwner, metaPackId } from '../manifest/seal-meta-pack.ts';
import { encodeRecords } from '../manifest/segment-record.ts';
import { geometryOf, type RepositoryContext } from '../repository-context.ts';
import type { DiskManifest, ManifestLayer, ManifestPack } from '../manifest/manifest-types.ts';
import { isDamage } from '../verify/diagnose.ts';
import type { KnownPoint, NamedAt } from './known-points.ts';
import { offerFrom, readMetaFrames, type MetaFrames } from './meta-frames.ts';

interface OtherLayers {
  readonly disk: DiskManifest;
  /** Follow each other. */
  readonly layers: readonly ManifestLayer[];
}

interface DamagedPack {
  readonly id: ObjectId;
  /** As a restore point says it that names the pack. */
  readonly contents: string | undefined;
  readonly places: readonly NamedAt[];
}

/**
 * The frames of a damaged meta pack, from what else there is: those of it that open, the layers that it was folded from,
 * and frames with the same content in other versions of the disk. Believed is only what has the digests of the pack's
 * table or, where that is lost, comes out as what a restore point says of the pack. Null where that leads nowhere.
 */
export async function deriveMetaPack(
  context: RepositoryContext,
  points: readonly KnownPoint[],
  damaged: DamagedPack,
): Promise<readonly Buffer[] | null> {
  const lacking = await readMetaFrames(context, damaged);
  return lacking === null ? deriveByName(context, points, damaged) : complete(context, points, damaged, lacking);
}

async function deriveByName(
  context: RepositoryContext,
  points: readonly KnownPoint[],
  damaged: DamagedPack,
): Promise<readonly Buffer[] | null> {
  for (const [place, others] of findFolded(points, damaged)) {
    const frames = await tryFold(context, place, others);
    if (isNamed(context, damaged, frames)) {
      return frames;
    }
  }
  return null;
}

async function complete(
  context: RepositoryContext,
  points: readonly KnownPoint[],
  damaged: DamagedPack,
  lacking: MetaFrames,
): Promise<readonly Buffer[] | null> {
  for (const [place, others] of findFolded(points, damaged)) {
    if (lacking.all !== null) {
      break;
    }
    lacking.offer(await tryFold(context, place, others));
  }
  for (const other of findLike(points, damaged)) {
    if (lacking.all !== null) {
      break;
    }
    await offerFrom(context, other, lacking);
  }
  return lacking.all;
}

/** Layers of other points that the damaged one may have been folded from. */
function* findFolded(
  points: readonly KnownPoint[],
  { id, places }: DamagedPack,
): Iterable<readonly [NamedAt, OtherLayers]> {
  const seen = new Set<string>();
  for (const place of places) {
    const others = versionsOf(points, place).filter((disk) => !names(disk, id));
    for (const found of others.flatMap((disk) => layersFor(place, disk))) {
      const key = namesOf(found.layers);
      if (!seen.has(key)) {
        seen.add(key);
        yield [place, found];
      }
    }
  }
}

/** Those that stand on the same ones as the damaged layer, and end at the same size of the disk; the most first. */
function layersFor({ at, disk, layer }: NamedAt, other: DiskManifest): OtherLayers[] {
  const { layers } = other;
  if (namesOf(layers.slice(0, at)) !== namesOf(disk.layers.slice(0, at))) {
    return [];
  }
  const ends = layers
    .map((_, i) => i + 1)
    .filter((end) => end > at + 1 && layers[end - 1]?.sizeBytes === layer.sizeBytes);
  return ends.toReversed().map((end) => ({ disk: other, layers: layers.slice(at, end) }));
}

function names({ layers }: DiskManifest, id: ObjectId): boolean {
  return layers.some(({ packs }) => packs.some((pack) => pack.id === id));
}

/** Meta packs of other versions of the disk that speak of the same groups. */
function findLike(points: readonly KnownPoint[], { id, places }: DamagedPack): Iterable<ManifestPack> {
  const found = new Map<ObjectId, ManifestPack>();
  for (const place of places) {
    const { firstGroup, lastGroup } = place.pack;
    const packs = versionsOf(points, place).flatMap(({ layers }) => layers.flatMap((layer) => layer.packs));
    packs
      .filter((pack) => pack.id !== id && pack.firstGroup <= lastGroup && firstGroup <= pack.lastGroup)
      .forEach((pack) => found.set(pack.id, pack));
  }
  return found.values();
}

function versionsOf(points: readonly KnownPoint[], { point, disk }: NamedAt): DiskManifest[] {
  return points
    .filter(({ vmId }) => vmId === point.vmId)
    .flatMap(({ disks }) => disks.filter(({ diskKey }) => diskKey === disk.diskKey));
}

/** What the damaged pack holds if its layer was folded from these; nothing where one of them is damaged too. */
async function tryFold(
  context: RepositoryContext,
  { pack }: NamedAt,
  { disk, layers }: OtherLayers,
): Promise<readonly Buffer[]> {
  const toGeometry = (sizeBytes: number): ReturnType<typeof geometryOf> => geometryOf(context, sizeBytes);
  const reader = new ManifestReader(context.store, context.secrets, disk, toGeometry);
  const groups: number[] = [];
  const frames: Buffer[] = [];
  try {
    const range = { first: pack.firstGroup, last: pack.lastGroup };
    for await (const { group, records } of foldedGroups(reader, layers, toGeometry, range)) {
      groups.push(group);
      frames.push(encodeRecords(records));
    }
  } catch (error) {
    if (isDamage(error)) {
      return [];
    }
    throw error;
  }
  return [...frames, encodeDirectory(groups)];
}

/**
 * A point of before proves it by the pack's name, as long as the point that wrote the pack is among those that name it:
 * after its deletion nothing can be proved.
 */
function isNamed(
  { secrets }: RepositoryContext,
  { id, contents, places }: DamagedPack,
  frames: readonly Buffer[],
): boolean {
  if (contents !== undefined) {
    const digests = frames.map((frame) => keyedDigest(secrets.digestKey, frame));
    return metaContents(secrets.digestKey, digests) === contents;
  }
  const owners = new Set(places.map(({ point, disk }) => manifestOwner(point.sessionId, disk.diskKey)));
  return [...owners].some((owner) => metaPackId(secrets.nameKey, owner, frames) === id);
}

function namesOf(layers: readonly ManifestLayer[]): string {
  return layers.map(({ packs }) => packs.map(({ id }) => id).join(' ')).join('\n');
}
