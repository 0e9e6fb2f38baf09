import { throwIfAborted } from '../../kernel/abort.ts';
import { limit } from '../../kernel/limit.ts';
import type { ObjectId } from '../format/ids.ts';
import { packName } from '../format/names.ts';
import { FOOTER_BYTES } from '../format/pack-builder.ts';
import { readPackTable } from '../format/pack-reader.ts';
import { decodeFooter } from '../format/sealed-object.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { isDamage } from '../verify/diagnose.ts';
import type { FrameBits } from './frame-bits.ts';

const PACKS_AT_ONCE = 8;

export interface Nomination {
  /** Data packs that were there before the mark began, with their sizes. */
  readonly present: ReadonlyMap<ObjectId, number>;
  readonly live: FrameBits;
  /** Packs of open sessions: what they hold is needed by nobody yet. */
  readonly own: ReadonlySet<ObjectId>;
  readonly minLiveShare: number;
  /** How many frames packs have, as far as it was looked up before; is added to. */
  readonly frameCounts: Map<ObjectId, number>;
  readonly signal: AbortSignal;
}

/** Packs that nobody needs, or of which so little is needed that it is cheaper moved. */
export async function nominate(context: RepositoryContext, nomination: Nomination): Promise<ObjectId[]> {
  const { present, own, signal } = nomination;
  const turn = limit(PACKS_AT_ONCE);
  const nominated: ObjectId[] = [];
  const judge = async (pack: ObjectId, sizeBytes: number): Promise<void> => {
    throwIfAborted(signal);
    if (await isWaste(context, nomination, pack, sizeBytes)) {
      nominated.push(pack);
    }
  };
  const candidates = [...present].filter(([pack]) => !own.has(pack) && !context.condemned.has(pack));
  await Promise.all(candidates.map(([pack, sizeBytes]) => turn(() => judge(pack, sizeBytes))));
  return nominated;
}

async function isWaste(
  context: RepositoryContext,
  { live, minLiveShare, frameCounts, signal }: Nomination,
  pack: ObjectId,
  sizeBytes: number,
): Promise<boolean> {
  const needed = live.count(pack);
  if (needed === 0) {
    return true;
  }
  try {
    const frames = frameCounts.get(pack) ?? (await readFrameCount(context, pack, sizeBytes, signal));
    frameCounts.set(pack, frames);
    if (needed >= frames) {
      return false;
    }
    const table = await readPackTable(context.store, 'data', pack, context.secrets, signal);
    let bytes = 0;
    for (const frame of live.frames(pack)) {
      bytes += table.frame(frame).sealedBytes;
    }
    return bytes < minLiveShare * sizeBytes;
  } catch (error) {
    // Damaged or gone: that is for verification to find. What is needed of it can't be moved.
    if (isDamage(error)) {
      return false;
    }
    throw error;
  }
}

/** One small read. Not authenticated, which is enough for a nomination. */
async function readFrameCount(
  { store }: RepositoryContext,
  pack: ObjectId,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<number> {
  const name = packName('data', pack);
  const tail = new Uint8Array(Math.min(sizeBytes, FOOTER_BYTES));
  await store.getRange(name, sizeBytes - tail.length, tail, signal);
  return decodeFooter(tail, sizeBytes, name).frameCount;
}
