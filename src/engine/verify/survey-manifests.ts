import { throwIfAborted } from '../../kernel/abort.ts';
import { limit } from '../../kernel/limit.ts';
import type { ObjectId } from '../format/ids.ts';
import { packName } from '../format/names.ts';
import { FrameOpener, readPackTable } from '../format/pack-reader.ts';
import { checkHash } from '../format/sealed-object.ts';
import { decodePackIds } from '../manifest/segment-record.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { diagnosePack, isDamage } from './diagnose.ts';
import { requireLayout } from './pack-layout.ts';
import type { SurveyedPoint } from './survey-points.ts';
import type { DamagedObject, VerifyLevel } from './verify-types.ts';

/** Meta packs that are decoded at the same time, on the main thread: a few MiB each. */
const CONCURRENCY = 4;

export interface ManifestSurvey {
  /** Data packs that some layer of some point names; a layer above it may have replaced what it is named for. */
  readonly packs: ReadonlySet<ObjectId>;
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
  const ids = new Set(layers.flatMap((layer) => layer.packs.map(({ id }) => id)));
  const packs = new Set<ObjectId>();
  const damaged: DamagedObject[] = [];
  const turn = limit(CONCURRENCY);
  let bytesRead = 0;
  let done = 0;
  const read = async (id: ObjectId): Promise<void> => {
    throwIfAborted(signal);
    try {
      bytesRead += await readMetaPack(context, id, level, packs);
    } catch (error) {
      if (!isDamage(error)) {
        throw error;
      }
      const found = await diagnosePack(context.store, context.secrets, { area: 'meta', id }, error);
      damaged.push({ ...found, lostFrames: 'all' });
    }
    done += 1;
    onRead(done, ids.size);
  };
  await Promise.all(Array.from(ids, (id) => turn(() => read(id))));
  return { packs, damaged, bytesRead };
}

async function readMetaPack(
  { store, secrets }: RepositoryContext,
  id: ObjectId,
  level: VerifyLevel,
  packs: Set<ObjectId>,
): Promise<number> {
  const name = packName('meta', id);
  const table = await readPackTable(store, 'meta', id, secrets);
  requireLayout(table);
  const data = await store.get(name);
  if (level === 1) {
    checkHash(data, name);
  }
  const opener = new FrameOpener(table.opener, secrets.digestKey);
  for (let ordinal = 0; ordinal < table.frameCount; ordinal += 1) {
    const frame = table.frame(ordinal);
    const raw = opener.open(frame, data.subarray(frame.offset, frame.offset + frame.sealedBytes));
    const isDirectory = ordinal === table.frameCount - 1;
    if (!isDirectory) {
      decodePackIds(Buffer.from(raw), name).forEach((pack) => packs.add(pack));
    }
  }
  return data.length;
}
