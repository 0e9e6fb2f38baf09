import type { Clock } from '../../kernel/clock.ts';
import { isAppError, type AppError } from '../../kernel/errors.ts';
import { isCounted, isTakenByNone } from '../format/counted-names.ts';
import { OBJECT_KIND } from '../format/header.ts';
import { numberToObjectId, type ObjectId } from '../format/ids.ts';
import { CONDEMNED_PREFIX, condemnedName } from '../format/names.ts';
import { openObject, sealObject } from '../format/sealed-object.ts';
import { MAX_BYTES } from '../format/size-limits.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store } from '../ports/store.ts';
import { orDamage } from '../verify/diagnose.ts';

/** Why data packs were condemned: (almost) nobody needed them, or they were found damaged. */
export type CondemnReason = 'unused' | 'damaged';

/** What one object below `condemned/` says. */
export interface Condemned {
  readonly condemnedAt: number;
  readonly reason: CondemnReason;
  /** Data packs, for good: no id among them ever comes back. */
  readonly packs: readonly ObjectId[];
  /**
   * Meta packs that no restore point led to. Not condemned: each goes if that is still so when all sessions from before
   * have ended.
   */
  readonly meta: readonly ObjectId[];
  /** Numbers below this one no longer count, whether their objects are there or not. */
  readonly first: number;
}

/**
 * The data packs that nothing new may refer to, from the numbered objects below `condemned/`. The numbers are a
 * sequence: each is put if absent after the highest that is known, and the highest is never deleted.
 *
 * A late request may bring an old number back. It is not believed: each object says from where on numbers count.
 */
export class CondemnedLog {
  readonly #store: Store;
  readonly #secrets: RepositorySecrets;
  readonly #clock: Clock;
  readonly #entries = new Map<number, Condemned>();
  readonly #packs = new Set<ObjectId>();
  readonly #damaged = new Set<ObjectId>();
  /** Above the last: damaged, or put there by somebody else. Never read again, and no number for new content. */
  readonly #unreadable = new Set<number>();
  #last = 0;
  #first = 1;
  #gaps = 0;
  #refreshing: Promise<void> = Promise.resolve();

  constructor(store: Store, secrets: RepositorySecrets, clock: Clock) {
    this.#store = store;
    this.#secrets = secrets;
    this.#clock = clock;
  }

  /** The highest number that was read; 0 if there is none. */
  get last(): number {
    return this.#last;
  }

  /**
   * Counts how often numbers were missed (they had been deleted, or don't open), or no longer count. Whoever keeps packs in a cache empties it
   * when this is another number than when the cache was filled.
   */
  get gaps(): number {
    return this.#gaps;
  }

  /** Numbers below this one no longer count. */
  get first(): number {
    return this.#first;
  }

  /** Numbers and what they say, those that still count, ascending. */
  get entries(): ReadonlyMap<number, Condemned> {
    return this.#entries;
  }

  has(pack: ObjectId): boolean {
    return this.#packs.has(pack);
  }

  packs(): ReadonlySet<ObjectId> {
    return this.#packs;
  }

  /** Those of `packs` that were found damaged. */
  damaged(): ReadonlySet<ObjectId> {
    return this.#damaged;
  }

  /** Everything that was condemned before this was called; reads only what it has not read yet. */
  async refresh(): Promise<void> {
    const turn = this.#refreshing.then(() => this.#load());
    this.#refreshing = turn.catch(() => {
      // Told to whoever asked for it; the next one tries again.
    });
    await turn;
  }

  /**
   * For readers: what is condemned may be damaged, or about to go, and its chunks are elsewhere by then. A bad sector here,
   * or what anybody put here, must keep writers away, and nobody from restoring. Returns what keeps it from being read.
   */
  async refreshToRead(): Promise<AppError | null> {
    return (await orDamage(this.refresh())) ?? null;
  }

  /** A number as it stands in the store now. VAULT_OBJECT_MISSING, VAULT_CORRUPT. */
  async read(number: number): Promise<Condemned> {
    const name = condemnedName(number);
    const expected = { id: numberToObjectId(number), kinds: [OBJECT_KIND.condemned] };
    const { payload } = openObject(
      await this.#store.get(name, { maxBytes: MAX_BYTES.condemned }),
      name,
      expected,
      this.#secrets,
    );
    return JSON.parse(payload.toString('utf8')) as Condemned;
  }

  /** Condemns packs; durable when this returns. Returns the number under which it stands; those below `first` go. */
  async append(
    reason: CondemnReason,
    packs: readonly ObjectId[],
    { meta = [], first = 1 }: { readonly meta?: readonly ObjectId[]; readonly first?: number } = {},
  ): Promise<number> {
    for (let least = 1; ;) {
      await this.refresh();
      const number = this.#nextNumber(least);
      const condemnedAt = this.#clock.now();
      const content: Condemned = { condemnedAt, reason, packs, meta, first: Math.max(first, this.#first) };
      const payload = Buffer.from(JSON.stringify(content), 'utf8');
      const sealed = sealObject(OBJECT_KIND.condemned, numberToObjectId(number), payload, this.#secrets);
      if ((await this.#store.putIfAbsent(condemnedName(number), [sealed])) === 'created') {
        await this.#store.flush();
        await this.refresh();
        return number;
      }
      if (await isTakenByNone(this.#store, condemnedName(number))) {
        // Remembered no longer than this: whoever removes what is there may have something condemned under that number.
        least = number + 1;
      }
    }
  }

  #nextNumber(least: number): number {
    let number = Math.max(least, this.#last + 1);
    while (this.#unreadable.has(number)) {
      number += 1;
    }
    return number;
  }

  async #load(): Promise<void> {
    const newest = await this.#findNewest();
    if (newest === null) {
      return;
    }
    const [highest, { first }] = newest;
    const read = new Map<number, Condemned | null>();
    // A list is no snapshot: it may show a number and not the one before. Each is asked for by its name.
    for (let number = Math.max(this.#last + 1, first); number < highest; number += 1) {
      if (!this.#unreadable.has(number)) {
        read.set(number, await this.#read(number));
      }
    }
    read.set(highest, newest[1]);
    const missed = first > this.#last + 1 || [...read.values()].includes(null);
    this.#gaps += missed ? 1 : 0;
    this.#last = highest;
    for (const [number, content] of read) {
      if (content !== null) {
        this.#entries.set(number, content);
        this.#first = Math.max(this.#first, content.first);
      }
    }
    this.#count();
  }

  /**
   * The highest of the numbers not read yet that opens. Anybody who can write to the store can put something at a number
   * far above: what does not open says nothing of how far the others go.
   */
  async #findNewest(): Promise<readonly [number, Condemned] | null> {
    const listed: number[] = [];
    for await (const { name } of this.#store.list(CONDEMNED_PREFIX)) {
      const number = name.slice(CONDEMNED_PREFIX.length);
      if (isCounted(number) && Number(number) > this.#last && !this.#unreadable.has(Number(number))) {
        listed.push(Number(number));
      }
    }
    for (const number of listed.toSorted((a, b) => b - a)) {
      const content = await this.#read(number);
      if (content !== null) {
        return [number, content];
      }
      this.#unreadable.add(number);
      this.#gaps += 1;
    }
    return null;
  }

  /**
   * Null if it does not open, or was deleted. A damaged number is passed over: who deletes packs has to read their number
   * again first, so that what nobody can read deletes nothing.
   */
  async #read(number: number): Promise<Condemned | null> {
    try {
      return await this.read(number);
    } catch (error) {
      if (isAppError(error, 'VAULT_CORRUPT', 'VAULT_OBJECT_MISSING')) {
        return null;
      }
      throw error;
    }
  }

  #count(): void {
    this.#packs.clear();
    this.#damaged.clear();
    for (const [number, { packs, reason }] of this.#entries) {
      if (number < this.#first) {
        // Packs that nobody calls condemned any more: what a cache has of them would count again.
        this.#gaps += 1;
        this.#entries.delete(number);
        continue;
      }
      for (const pack of packs) {
        this.#packs.add(pack);
        if (reason === 'damaged') {
          this.#damaged.add(pack);
        }
      }
    }
  }
}
