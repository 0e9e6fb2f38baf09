import { throwIfAborted } from '../../kernel/abort.ts';
import { isAppError } from '../../kernel/errors.ts';
import { corrupt } from '../format/header.ts';
import type { ObjectId } from '../format/ids.ts';
import { packIdOf, packName, pointName, sessionName } from '../format/names.ts';
import { SHORT_DIGEST_BYTES } from '../keys/digest.ts';
import { LayerTree } from '../manifest/layer-tree.ts';
import { visitNeeded, type NeededRecords } from '../manifest/visit-needed.ts';
import { lostPoints } from '../points/lost-points.ts';
import type { PointStore } from '../points/point-store.ts';
import { geometryOf, type RepositoryContext } from '../repository-context.ts';
import { isKeptOnly } from '../sessions/kept-session.ts';
import type { Session } from '../sessions/session-store.ts';
import { SessionStore } from '../sessions/session-store.ts';
import { isDamage } from '../verify/diagnose.ts';
import { FrameBits } from './frame-bits.ts';

/** A chunk that is in none of the packs that are known. */
export interface LostChunk {
  /** As the manifest says. */
  readonly pack: ObjectId;
  readonly digest: Buffer;
}

/** What restore points need, and sessions that pin them. */
export interface Mark {
  /** Frames in packs that are not condemned. */
  readonly live: FrameBits;
  /** Frames that lie in condemned packs only. */
  readonly stranded: FrameBits;
  readonly lost: readonly LostChunk[];
  readonly metaPacks: ReadonlySet<ObjectId>;
  /** Points that were deleted and that nobody pins. */
  readonly deletedPoints: readonly string[];
  /** Sessions that pin points which were deleted. */
  readonly pinning: readonly Session[];
  /** Objects that can't be read: the mark is not whole. */
  readonly unreadable: readonly string[];
}

export interface MarkScope {
  /** Data packs that were there before the mark began. */
  readonly present: ReadonlyMap<ObjectId, number>;
  readonly signal: AbortSignal;
  readonly onRead: (done: number, total: number) => void;
}

/**
 * Reads every meta pack that a restore point or a pin leads to, each once, and marks what their tables say in the end: not
 * what later layers of all of them have replaced. Memory: a bit for each frame, and one group of a disk's layers.
 */
export async function mark(context: RepositoryContext, points: PointStore, scope: MarkScope): Promise<Mark> {
  const { store, secrets } = context;
  const roots = await findRoots(context, points, scope.signal);
  const marker = new Marker(context, scope.present);
  const unreadable = new Set(roots.unreadable);
  let done = 0;
  await visitNeeded(roots.manifests, {
    store,
    secrets,
    signal: scope.signal,
    geometryOf: (sizeBytes) => geometryOf(context, sizeBytes),
    onDamage: (id, error) => {
      requireUnreadable(error);
      unreadable.add(packName('meta', id));
    },
    onPack: () => scope.onRead((done += 1), roots.manifests.packCount),
    use: (records) => marker.mark(records),
  });
  const { live, stranded, lost } = marker;
  const { metaPacks, deletedPoints, pinning } = roots;
  return { live, stranded, lost, metaPacks, deletedPoints, pinning, unreadable: [...unreadable] };
}

interface Roots {
  readonly manifests: LayerTree;
  readonly metaPacks: ReadonlySet<ObjectId>;
  readonly deletedPoints: readonly string[];
  readonly pinning: readonly Session[];
  readonly unreadable: readonly string[];
}

/**
 * In this order: deletions, sessions, points. A session that pins a point after its deletion was seen here is refused;
 * one that ended before the sessions were listed has its point among those that are listed after.
 */
async function findRoots(context: RepositoryContext, points: PointStore, signal: AbortSignal): Promise<Roots> {
  const unreadable: string[] = [];
  const listed = await points.listed();
  for await (const { pointId } of lostPoints(points, listed)) {
    unreadable.push(pointName(pointId));
  }
  // What is as short as a tombstone may have been deleted too.
  const there = new Set([...listed.points, ...listed.tombstones]);
  // Of which nothing sure can be said is not deleted.
  const deleted = await points.custody.findDeleted(there, (_, error) => requireUnreadable(error));
  const sessions = new SessionStore(context.store, context.secrets);
  const pinned = new Set<string>();
  const pinning: Session[] = [];
  const damaged: string[] = [];
  for await (const session of sessions.list((sessionId) => damaged.push(sessionId))) {
    if (await isKeptOnly(context, session.sessionId, session)) {
      continue;
    }
    session.pins.forEach((pin) => pinned.add(pin));
    if (session.pins.some((pin) => deleted.has(pin))) {
      pinning.push(session);
    }
  }
  for (const sessionId of damaged) {
    // Which points it pins is not known: it stops collection until its lease has run out.
    if (!(await isKeptOnly(context, sessionId, null))) {
      unreadable.push(sessionName(sessionId));
    }
  }
  const manifests = new LayerTree();
  const metaPacks = new Set<ObjectId>();
  for (const pointId of (await points.listed()).points) {
    throwIfAborted(signal);
    if (deleted.has(pointId) && !pinned.has(pointId)) {
      continue;
    }
    const isRead = await isWhole(async () => {
      const found = await points.findObject(pointId);
      for (const { layers } of found?.kind === 'point' ? found.point.disks : []) {
        manifests.add(layers);
        layers.forEach(({ packs }) => packs.forEach(({ id }) => metaPacks.add(id)));
      }
    });
    if (!isRead) {
      unreadable.push(pointName(pointId));
    }
  }
  const deletedPoints = [...deleted].filter((pointId) => !pinned.has(pointId));
  return { manifests, metaPacks, deletedPoints, pinning, unreadable };
}

class Marker {
  readonly live = new FrameBits();
  readonly stranded = new FrameBits();
  readonly lost: LostChunk[] = [];
  readonly #context: RepositoryContext;
  readonly #present: ReadonlyMap<ObjectId, number>;
  /** Places that manifests name and where nothing new may be looked for: each is resolved once. */
  readonly #stale = new FrameBits();
  /** Packs that came after the mark began. */
  readonly #added = new Set<ObjectId>();

  constructor(context: RepositoryContext, present: ReadonlyMap<ObjectId, number>) {
    this.#context = context;
    this.#present = present;
  }

  async mark({ packs, data, visit }: NeededRecords): Promise<void> {
    const isHere = packs.map((pack) => this.#present.has(pack) && !this.#context.condemned.has(pack));
    const elsewhere: { readonly pack: ObjectId; readonly frame: number; readonly digest: Buffer }[] = [];
    visit((_, position, frame, at) => {
      const pack = packs[position] ?? '';
      if (isHere[position] === true) {
        this.live.add(pack, frame);
      } else if (this.#stale.add(pack, frame)) {
        elsewhere.push({ pack, frame, digest: data.subarray(at, at + SHORT_DIGEST_BYTES) });
      }
    });
    for (const chunk of elsewhere) {
      await this.#resolve(chunk);
    }
  }

  /** As a reader would. */
  async #resolve(chunk: { readonly pack: ObjectId; readonly frame: number; readonly digest: Buffer }): Promise<void> {
    try {
      if (!this.#present.has(chunk.pack)) {
        this.#context.chunks.forget(chunk.pack);
      }
      const { table, frame } = await this.#context.chunks.find(chunk);
      const pack = packIdOf('data', table.opener.name) ?? '';
      await this.#requireThere(pack);
      (this.#context.condemned.has(pack) ? this.stranded : this.live).add(pack, frame.ordinal);
    } catch (error) {
      requireUnreadable(error);
      this.lost.push({ pack: chunk.pack, digest: Buffer.from(chunk.digest) });
    }
  }

  /** Tables are kept in memory, also of a pack that was lost since. */
  async #requireThere(pack: ObjectId): Promise<void> {
    const name = packName('data', pack);
    if (!this.#present.has(pack) && !this.#added.has(pack) && (await this.#context.store.head(name)) === null) {
      throw corrupt(name, 'is missing from the store');
    }
    this.#added.add(pack);
  }
}

/** False where what is read is damaged, or not there. */
async function isWhole(read: () => Promise<void>): Promise<boolean> {
  try {
    await read();
    return true;
  } catch (error) {
    requireUnreadable(error);
    return false;
  }
}

/** Also of what lies at a name that is none of a point's. */
function requireUnreadable(error: unknown): void {
  if (!isDamage(error) && !isAppError(error, 'BAD_INPUT')) {
    throw error;
  }
}
