import type { AppError } from '../../kernel/errors.ts';
import { throwIfAborted } from '../../kernel/abort.ts';
import { limit } from '../../kernel/limit.ts';
import type { ObjectId } from '../format/ids.ts';
import { packName } from '../format/names.ts';
import { FrameOpener, type PackTable } from '../format/pack-reader.ts';
import { checkHash } from '../format/sealed-object.ts';
import { readMetaTable } from '../manifest/read-meta-table.ts';
import { decodePackIds } from '../manifest/segment-record.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { RepositoryContext } from '../repository-context.ts';
import type { ManifestPack } from '../manifest/manifest-types.ts';
import { diagnosePack, requireDamage } from './diagnose.ts';
import { frames, requireLayout } from './pack-layout.ts';
import type { SurveyedPoint } from './survey-points.ts';
import type { DamagedObject, VerifyLevel } from './verify-types.ts';

/** Meta packs that are decoded at the same time, on the main thread: a few MiB each. */
const CONCURRENCY = 4;

export interface ManifestSurvey {
  /** By meta pack, the data packs that it names; a layer above may have replaced what one is named for. */
  readonly named: ReadonlyMap<ObjectId, readonly ObjectId[]>;
  readonly damaged: readonly DamagedObject[];
  readonly bytesRead: number;
}

/** Decodes every meta pack that points need, each once however many points share it. */
export async function surveyManifests(
  context: RepositoryContext,
  points: readonly SurveyedPoint[],
  { level, signal, onRead }: { level: VerifyLevel; signal: AbortSignal; onRead: (done: number, total: number) => void },
): Promise<ManifestSurvey> {
  const layers = points.flatMap(({ disks }) => disks.flatMap((disk) => disk.layers));
  const packs = layers.flatMap((layer) => layer.packs);
  const places = new Map(packs.map((pack) => [`${pack.id} ${pack.contents}`, pack]));
  const named = new Map<ObjectId, readonly ObjectId[]>();
  const damaged: DamagedObject[] = [];
  const turn = limit(CONCURRENCY);
  let bytesRead = 0;
  let done = 0;
  const read = async (pack: ManifestPack): Promise<void> => {
    const { id } = pack;
    throwIfAborted(signal);
    const outcome = await readMetaPack(context, pack, level);
    named.set(id, [...new Set(outcome.packs)]);
    bytesRead += outcome.bytesRead;
    if (outcome.error !== null) {
      const found = await diagnosePack(context.store, context.secrets, { area: 'meta', id }, outcome.error);
      damaged.push({ ...found, lostFrames: outcome.lostFrames });
    }
    done += 1;
    onRead(done, places.size);
  };
  await Promise.all(Array.from(places.values(), (pack) => turn(() => read(pack))));
  return { named, damaged, bytesRead };
}

interface MetaPackOutcome {
  readonly packs: readonly ObjectId[];
  readonly bytesRead: number;
  readonly error: AppError | null;
  readonly lostFrames: DamagedObject['lostFrames'];
}

async function readMetaPack(
  context: RepositoryContext,
  pack: ManifestPack,
  level: VerifyLevel,
): Promise<MetaPackOutcome> {
  const { store, secrets } = context;
  const name = packName('meta', pack.id);
  try {
    const table = await readMetaTable(store, pack, secrets);
    requireLayout(table);
    const data = await store.get(name, { maxBytes: table.sizeBytes });
    const found = readFrames(table, data, secrets);
    const error = found.error ?? (level === 1 ? findHashError(data, name) : null);
    return { packs: found.packs, bytesRead: data.length, error, lostFrames: found.lost };
  } catch (error) {
    requireDamage(error);
    return { packs: [], bytesRead: 0, error, lostFrames: 'all' };
  }
}

interface MetaFrames {
  readonly packs: readonly ObjectId[];
  readonly lost: readonly number[];
  readonly error: AppError | null;
}

/** Goes on past damaged frames: what the others describe is to be verified all the same. */
function readFrames(table: PackTable, data: Uint8Array, secrets: RepositorySecrets): MetaFrames {
  const opener = new FrameOpener(table.opener, secrets.digestKey);
  const packs: ObjectId[] = [];
  const lost: number[] = [];
  let first: AppError | null = null;
  for (const frame of frames(table)) {
    try {
      const raw = opener.open(frame, data.subarray(frame.offset, frame.offset + frame.sealedBytes));
      const isDirectory = frame.ordinal === table.frameCount - 1;
      packs.push(...(isDirectory ? [] : decodePackIds(Buffer.from(raw), table.opener.name)));
    } catch (error) {
      requireDamage(error);
      first ??= error;
      lost.push(frame.ordinal);
    }
  }
  return { packs, lost, error: first };
}

function findHashError(data: Uint8Array, name: string): AppError | null {
  try {
    checkHash(data, name);
    return null;
  } catch (error) {
    requireDamage(error);
    return error;
  }
}
