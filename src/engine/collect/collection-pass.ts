import type { ObjectId } from '../format/ids.ts';
import { CONDEMNED_PREFIX, condemnedNumberOf, packName, type PackArea } from '../format/names.ts';
import { readPackTable } from '../format/pack-reader.ts';
import type { PointStore } from '../points/point-store.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { DECIDED_FOR_MS } from '../sessions/session-ages.ts';
import { SessionStore, type Session } from '../sessions/session-store.ts';
import { isDamage } from '../verify/diagnose.ts';
import type { CollectProgress, CollectResult } from './collect-types.ts';
import type { Condemned } from './condemned-log.ts';
import { copyFrames, type CopyOutcome } from './copy-frames.ts';
import { Deletions } from './deletions.ts';
import { leaveLocked } from './lock-dates.ts';
import { listPacks } from './list-packs.ts';
import { findUnneeded } from './make-room.ts';
import { mark, type Mark } from './mark.ts';
import { nominate } from './nominate.ts';
import { findOwnPacks, listJournals } from './own-packs.ts';
import { findReady, isAhead, type Readiness } from './readiness.ts';
import { reapSessions } from './reap-sessions.ts';
import { removePoint, sweepDecided } from './remove-points.ts';
import { findIdleSegments } from './sweep-index.ts';

/** An object that is read while another collection removes it looks damaged, once. */
const MAX_MARKS = 3;

export interface CollectionLimits {
  readonly graceMs: number;
  readonly minLiveShare: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: CollectProgress) => void;
}

interface Survey {
  readonly data: ReadonlyMap<ObjectId, number>;
  readonly meta: ReadonlyMap<ObjectId, number>;
  readonly sessions: readonly Session[];
  readonly own: ReadonlySet<ObjectId>;
  readonly ready: Readiness;
  readonly mark: Mark;
}

/** One round from looking to deleting to condemning; `run` again takes up what the round before condemned. */
export class CollectionPass {
  readonly #context: RepositoryContext;
  readonly #points: PointStore;
  readonly #session: Session;
  readonly #limits: CollectionLimits;
  readonly #deletions: Deletions;
  readonly #frameCounts = new Map<ObjectId, number>();
  readonly #damaged = new Set<ObjectId>();
  readonly #deleted = { dataPacks: 0, metaPacks: 0, indexSegments: 0, points: 0, sessions: 0 };
  readonly #copied = { frames: 0, bytes: 0 };
  readonly #condemned = { packs: 0, bytes: 0 };
  #last: Survey | null = null;

  constructor(context: RepositoryContext, points: PointStore, session: Session, limits: CollectionLimits) {
    this.#context = context;
    this.#points = points;
    this.#session = session;
    this.#limits = limits;
    this.#deletions = new Deletions(context, session, limits.signal);
  }

  /** True if another round has something to do now. */
  async run(): Promise<boolean> {
    const survey = await this.#survey();
    this.#last = survey;
    if (survey.mark.unreadable.length > 0) {
      return false;
    }
    // Copies of somebody who died may be there and not be durable yet, and nothing may go because of them before they are.
    await this.#context.store.flush();
    if (!(await this.#rescue(survey))) {
      return true;
    }
    await this.#removePoints(survey);
    await this.#deletePacks(survey);
    await this.#sweep(survey);
    return this.#condemn(survey);
  }

  async result(): Promise<CollectResult> {
    const { condemned, store } = this.#context;
    const present = await listPacks(store, 'data', this.#limits.signal);
    const left = [...present].filter(([pack]) => condemned.has(pack));
    const meta = await listPacks(store, 'meta', this.#limits.signal);
    const ready = await findReady(this.#context, this.#limits.graceMs, (pack) => present.has(pack) || meta.has(pack));
    const waitsFor = new Map(
      [...ready.waitsFor, ...(this.#last?.mark.pinning ?? [])].map((each) => [each.sessionId, each]),
    );
    return {
      deleted: { ...this.#deleted, bytes: this.#deletions.bytes },
      copied: this.#copied,
      condemned: this.#condemned,
      pending: { packs: left.length, bytes: left.reduce((sum, [, sizeBytes]) => sum + sizeBytes, 0) },
      waitsFor: [...waitsFor.values()],
      again: ready.again,
      unreadable: this.#last?.mark.unreadable ?? [],
      lostChunks: this.#last?.mark.lost.length ?? 0,
      damagedPacks: [...this.#damaged],
    };
  }

  /**
   * In this order. Packs are listed before sessions and journals: of a pack that is there, its writer is too, or it has
   * ended, and then its point is marked or never comes. What is ready is known before the mark that decides about it.
   */
  async #survey(): Promise<Survey> {
    const { store, condemned, index } = this.#context;
    const { signal, graceMs } = this.#limits;
    await condemned.refresh();
    const data = await listPacks(store, 'data', signal);
    const meta = await listPacks(store, 'meta', signal);
    const { alive, removed } = await reapSessions(this.#context, this.#points);
    this.#deleted.sessions += removed;
    const own = await findOwnPacks(this.#context);
    const ready = await findReady(this.#context, graceMs, (pack) => data.has(pack) || meta.has(pack));
    await index.refresh(signal);
    const scope = { present: data, signal, onRead: this.#tell('mark') };
    let marked = await mark(this.#context, this.#points, scope);
    for (let marks = 1; marked.unreadable.length > 0 && marks < MAX_MARKS; marks += 1) {
      marked = await mark(this.#context, this.#points, scope);
    }
    return { data, meta, sessions: alive, own, ready, mark: marked };
  }

  /** Copies what is needed and lies in condemned packs only. False if it has to be looked for again. */
  async #rescue({ data, ready, mark }: Survey): Promise<boolean> {
    const leaving = [...ready.packs].filter((pack) => data.has(pack));
    if (leaving.length === 0) {
      return true;
    }
    if (!(await this.#searchLost(data, mark))) {
      return false;
    }
    if ([...mark.stranded.packs()].length === 0) {
      return true;
    }
    await this.#deletions.requireStanding();
    const { isStale, full, frames } = await this.#copy(mark);
    // What was copied before the store was full is no longer needed where it was: the next round deletes that first.
    if (full !== null && frames === 0 && (await this.#makeRoom(leaving, data, mark)) === 0) {
      throw full;
    }
    return !isStale && full === null;
  }

  /** Deletes what may go before anything is copied. Returns how many packs went. */
  async #makeRoom(leaving: readonly ObjectId[], data: ReadonlyMap<ObjectId, number>, mark: Mark): Promise<number> {
    const whole = leaving.filter((pack) => !this.#damaged.has(pack));
    const unneeded = await findUnneeded(this.#context, whole, mark.stranded, this.#limits.signal);
    const deleted = await this.#delete('data', unneeded, data);
    this.#deleted.dataPacks += deleted;
    return deleted;
  }

  async #copy(mark: Mark): Promise<CopyOutcome> {
    const packs = [...mark.stranded.packs()];
    const tell = this.#tell('copy');
    let done = 0;
    const onPack = (): void => tell((done += 1), packs.length);
    const how = { signal: this.#limits.signal, onPack };
    const copy = await copyFrames(this.#context, mark.stranded, this.#session.sessionId, how);
    this.#copied.frames += copy.frames;
    this.#copied.bytes += copy.bytes;
    copy.damaged.forEach((pack) => this.#damaged.add(pack));
    return copy;
  }

  /** What no index segment names may be in what is about to be deleted all the same. False if a pack went meanwhile. */
  async #searchLost(data: ReadonlyMap<ObjectId, number>, { lost, stranded }: Mark): Promise<boolean> {
    const { condemned, store, secrets } = this.#context;
    for (const pack of lost.length > 0 ? [...data.keys()].filter((each) => condemned.has(each)) : []) {
      try {
        const table = await readPackTable(store, 'data', pack, secrets, this.#limits.signal);
        const frames = lost.map(({ digest }) => table.find(digest)).filter((frame) => frame !== null);
        frames.forEach(({ ordinal }) => stranded.add(pack, ordinal));
      } catch (error) {
        if (!isDamage(error)) {
          throw error;
        }
        if ((await store.head(packName('data', pack))) === null) {
          return false;
        }
        this.#damaged.add(pack);
      }
    }
    return true;
  }

  async #removePoints({ mark }: Survey): Promise<void> {
    for (const pointId of mark.deletedPoints) {
      await this.#deletions.requireStanding();
      this.#deleted.points += (await removePoint(this.#context, pointId)) ? 1 : 0;
    }
  }

  async #deletePacks({ data, meta, ready, mark }: Survey): Promise<void> {
    const leaving = [...ready.packs].filter((pack) => !this.#damaged.has(pack));
    const unused = [...ready.meta].filter((pack) => !mark.metaPacks.has(pack));
    this.#deleted.dataPacks += await this.#delete('data', leaving, data);
    this.#deleted.metaPacks += await this.#delete('meta', unused, meta);
  }

  async #delete(area: PackArea, ids: readonly ObjectId[], sizes: ReadonlyMap<ObjectId, number>): Promise<number> {
    const there = ids.filter((id) => sizes.has(id)).map((id) => [packName(area, id), sizes.get(id) ?? 0] as const);
    const tell = this.#tell('delete');
    return this.#deletions.run(new Map(there), (done) => tell(done, there.length));
  }

  /** What nobody asks for any more: segments of packs that went, journals without a session, old decisions. */
  async #sweep({ sessions }: Survey): Promise<void> {
    const { store, condemned } = this.#context;
    const { signal } = this.#limits;
    const idle = await findIdleSegments(this.#context, signal);
    this.#deleted.indexSegments += await this.#deletions.run(idle);
    await this.#sweepJournals();
    await sweepDecided(this.#context, this.#points, sessions);
    const old = new Map<string, number>();
    for await (const { name, sizeBytes } of store.list(CONDEMNED_PREFIX)) {
      if ((condemnedNumberOf(name) ?? Infinity) < condemned.first) {
        old.set(name, sizeBytes);
      }
    }
    await this.#deletions.run(old);
  }

  async #sweepJournals(): Promise<void> {
    const sessions = new SessionStore(this.#context.store, this.#context.secrets);
    const ended = new Set<string>();
    const strays = new Map<string, number>();
    for await (const { name, sessionId } of listJournals(this.#context)) {
      if (!ended.has(sessionId) && (await sessions.find(sessionId)) === null) {
        ended.add(sessionId);
      }
      if (ended.has(sessionId)) {
        strays.set(name, 0);
      }
    }
    await this.#deletions.run(strays);
  }

  /** True if what was condemned can go at once. */
  async #condemn({ data, meta, own, ready, mark }: Survey): Promise<boolean> {
    const { condemned, clock } = this.#context;
    const { graceMs, minLiveShare, signal } = this.#limits;
    const { live } = mark;
    const nomination = { present: data, live, own, minLiveShare, frameCounts: this.#frameCounts, signal };
    const stuck = (id: ObjectId): boolean => ready.stuck.has(id);
    const waste = await nominate(this.#context, nomination);
    const nominated = await leaveLocked(this.#context, waste, clock.now() + graceMs);
    const packs = [...nominated, ...[...data.keys()].filter(stuck)];
    const idle = (id: ObjectId): boolean => meta.has(id) && !mark.metaPacks.has(id);
    const pending = new Set([...condemned.entries.values()].flatMap((entry) => entry.meta));
    const unused = [...meta.keys()].filter((id) => idle(id) && (!pending.has(id) || stuck(id)));
    if (packs.length === 0 && unused.length === 0) {
      return false;
    }
    await this.#deletions.requireStanding();
    const before = clock.now() - graceMs - DECIDED_FOR_MS;
    const isOpen = (entry: Condemned): boolean =>
      (entry.condemnedAt > before && !isAhead(entry.condemnedAt, clock.now())) ||
      entry.packs.some((id) => data.has(id)) ||
      entry.meta.some(idle);
    const [kept] = [...condemned.entries].find(([, entry]) => isOpen(entry)) ?? [condemned.last + 1];
    await condemned.append('unused', packs, { meta: unused, first: kept });
    this.#condemned.packs += packs.length;
    this.#condemned.bytes += packs.reduce((sum, id) => sum + (data.get(id) ?? 0), 0);
    return graceMs === 0;
  }

  #tell(phase: CollectProgress['phase']): (done: number, total: number) => void {
    return (done, total) => this.#limits.onProgress?.({ phase, done, total });
  }
}
