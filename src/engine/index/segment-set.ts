import { isAppError } from '../../kernel/errors.ts';
import { limit } from '../../kernel/limit.ts';
import { INDEX_PREFIX } from '../format/names.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store, StoredObject } from '../ports/store.ts';
import { requireDamage } from '../verify/diagnose.ts';
import { expectIndex } from '../young-generation.ts';
import { FilterMemory } from './filter-memory.ts';
import { IndexSegment, isSegmentName, openIndexSegment } from './index-segment.ts';

const OPENED_AT_ONCE = 8;
/** For how many of the largest that are kept in memory as a whole there is room: each range of a large index has small ones. */
const KEPT_WHOLE = 8;
/** How often a list is made again because segments were merged while it was. */
const MAX_LISTS = 5;

/** The index segments that are in the store, each opened once. */
export class SegmentSet {
  readonly #store: Store;
  readonly #secrets: RepositorySecrets;
  readonly #wholeBytes: number;
  readonly #filters = new FilterMemory();
  #segments: ReadonlyMap<string, IndexSegment> = new Map();
  #refreshing: Promise<void> = Promise.resolve();
  #version = 0;

  constructor(store: Store, secrets: RepositorySecrets, wholeBytes: number) {
    this.#store = store;
    this.#secrets = secrets;
    this.#wholeBytes = wholeBytes;
  }

  /** Another number where there are other segments than before. */
  get version(): number {
    return this.#version;
  }

  get all(): readonly IndexSegment[] {
    return [...this.#segments.values()];
  }

  /** Until it is released as often, filters of this version's segments stay as they are, merged away or not. */
  hold(version: number): void {
    this.#filters.hold(version);
  }

  release(version: number): void {
    this.#filters.release(version);
  }

  /** Everything that was published before this was called. */
  async refresh(signal?: AbortSignal): Promise<void> {
    const turn = this.#refreshing.then(() => this.#load(signal));
    this.#refreshing = turn.catch(() => {
      // Told to whoever asked for it; the next one tries again.
    });
    await turn;
  }

  /** A list is no snapshot: while segments are merged it may show neither them nor what they became. */
  async #load(signal?: AbortSignal): Promise<void> {
    for (let lists = 0; lists < MAX_LISTS; lists += 1) {
      const listed = await this.#list();
      const opened = await this.#open(listed, signal);
      const kept = [...this.#segments].filter(([name]) => listed.has(name));
      const isSettled = opened.every((segment) => segment !== null) && kept.length === this.#segments.size;
      const next = new Map(kept);
      for (const segment of opened) {
        if (segment !== null) {
          next.set(segment.name, segment);
        }
      }
      const merged = [...this.#segments.values()].filter(({ name }) => !next.has(name));
      if (merged.length > 0 || next.size > kept.length) {
        this.#version += 1;
      }
      this.#segments = next;
      merged.forEach((segment) => this.#giveUp(segment));
      if (isSettled) {
        return;
      }
    }
  }

  /** From this version on nobody asks its filter. */
  #giveUp(segment: IndexSegment | 'damaged' | null): void {
    if (segment instanceof IndexSegment) {
      this.#filters.giveUp(segment.filter.ref.pages, this.#version);
    }
  }

  async #list(): Promise<Map<string, StoredObject>> {
    const listed = new Map<string, StoredObject>();
    let bytes = 0;
    for await (const object of this.#store.list(INDEX_PREFIX)) {
      if (isSegmentName(object.name)) {
        listed.set(object.name, object);
        bytes += object.sizeBytes;
      }
    }
    expectIndex(bytes);
    return listed;
  }

  /** Null for what went meanwhile. */
  async #open(listed: ReadonlyMap<string, StoredObject>, signal?: AbortSignal): Promise<(IndexSegment | null)[]> {
    const turn = limit(OPENED_AT_ONCE);
    const fresh = [...listed.values()].filter(({ name }) => !this.#segments.has(name));
    const whole = this.#chooseWhole(fresh, listed);
    const outcomes = await Promise.allSettled(
      fresh.map((object) => turn(() => this.#openOne(object, whole.has(object) ? this.#wholeBytes : 0, signal))),
    );
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    const opened = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    if (failed !== undefined) {
      opened.forEach((segment) => this.#giveUp(segment));
      throw failed.reason;
    }
    return opened.filter((segment) => segment !== 'damaged');
  }

  /** The smallest first: whether it is large or small, one chunk in a hundred asks it in vain, and each time reads a block. */
  #chooseWhole(fresh: readonly StoredObject[], listed: ReadonlyMap<string, StoredObject>): ReadonlySet<StoredObject> {
    const kept = this.all.filter(({ isResident }) => isResident);
    const keptBytes = kept.reduce((sum, { name }) => sum + (listed.get(name)?.sizeBytes ?? 0), 0);
    let room = KEPT_WHOLE * this.#wholeBytes - keptBytes;
    const small = fresh.filter(({ sizeBytes }) => sizeBytes <= this.#wholeBytes);
    return new Set(
      small
        .toSorted((a, b) => a.sizeBytes - b.sizeBytes)
        .filter(({ sizeBytes }) => {
          room -= sizeBytes;
          return room >= 0;
        }),
    );
  }

  /**
   * A damaged one, which whoever verifies the vault names, costs deduplication with what it lists, and no backup. It is
   * tried again each time: it may have been misread, or mended.
   */
  async #openOne(
    object: StoredObject,
    wholeBytes: number,
    signal?: AbortSignal,
  ): Promise<IndexSegment | 'damaged' | null> {
    try {
      return await openIndexSegment(this.#store, object, this.#secrets, {
        filters: this.#filters,
        wholeBytes,
        signal,
      });
    } catch (error) {
      if (isAppError(error, 'VAULT_OBJECT_MISSING')) {
        return null;
      }
      requireDamage(error);
      return 'damaged';
    }
  }
}
