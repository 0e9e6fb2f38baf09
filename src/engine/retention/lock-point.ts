import { isAppError } from '../../kernel/errors.ts';
import { limit } from '../../kernel/limit.ts';
import type { ObjectId } from '../format/ids.ts';
import { EPOCH_PREFIX, packName, REPO_PREFIX } from '../format/names.ts';
import type { Retention } from '../ports/store.ts';
import type { RepositoryContext } from '../repository-context.ts';
import type { DiskManifest } from '../manifest/manifest-types.ts';
import type { Point } from '../points/point-types.ts';
import { surveyMoved } from '../verify/survey-moved.ts';
import { dataPacksNeededBy, metaPacksOf } from './point-packs.ts';
import { endOfWindow } from './retention-window.ts';

/** Requests that lock, under way at the same time. */
const CONCURRENCY = 16;

export interface LockRequest {
  readonly disks: readonly DiskManifest[];
  readonly retainUntil: number;
  /** Points whose packs may be locked long enough already, which they say themselves. */
  readonly inherited: readonly Point[];
}

/**
 * Locks every pack that a point needs, and what describes the repository, to the end of the window that its date lies
 * in, which it returns; null where the store can't lock. What a point that it inherits from has locked as long is not
 * even looked at: the cost is that of what is new, and once a window that of everything.
 */
export async function lockForPoint(context: RepositoryContext, request: LockRequest): Promise<number | null> {
  const { retention } = context.store;
  if (retention === undefined) {
    return null;
  }
  const until = endOfWindow(request.retainUntil);
  const metaPacks = metaPacksOf(request.disks);
  for (const { summary, disks } of request.inherited) {
    if ((summary.lockedUntil ?? 0) >= until) {
      metaPacksOf(disks).forEach((id) => metaPacks.delete(id));
    }
  }
  const dataPacks = await dataPacksNeededBy(context, request.disks, metaPacks);
  const gone = await lockAll(retention, dataPacks, until);
  await context.condemned.refresh();
  const isMoved = (id: ObjectId): boolean => gone.has(id) || context.condemned.has(id);
  if ([...dataPacks].some(isMoved)) {
    const signal = new AbortController().signal;
    const places = await surveyMoved(context, context.chunks, request.disks, { isMoved, signal });
    await requireAll(await lockAll(retention, places, until), retention, until);
  }
  const names = Array.from(metaPacks, (id) => packName('meta', id));
  for (const prefix of [REPO_PREFIX, EPOCH_PREFIX]) {
    for await (const { name } of context.store.list(prefix)) {
      names.push(name);
    }
  }
  await inTurn(names, (name) => retention.lockUntil(name, until));
  return until;
}

/** Returns the packs that are not there; they count as moved. */
async function lockAll(retention: Retention, packs: Iterable<ObjectId>, until: number): Promise<Set<ObjectId>> {
  const gone = new Set<ObjectId>();
  await inTurn([...packs], async (id) => {
    try {
      await retention.lockUntil(packName('data', id), until);
    } catch (error) {
      if (!isAppError(error, 'VAULT_OBJECT_MISSING')) {
        throw error;
      }
      gone.add(id);
    }
  });
  return gone;
}

/** What is nowhere can't be locked, and a point that needs it must not promise to be kept. */
async function requireAll(gone: ReadonlySet<ObjectId>, retention: Retention, until: number): Promise<void> {
  for (const id of gone) {
    await retention.lockUntil(packName('data', id), until);
  }
}

async function inTurn<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const turn = limit(CONCURRENCY);
  await Promise.all(items.map((item) => turn(() => work(item))));
}
