import { isAppError } from '../../kernel/errors.ts';
import { isUuid } from '../../kernel/ids.ts';
import { highestCounted, isCounted, isTakenByNone, MAX_GAP } from '../format/counted-names.ts';
import { corrupt, OBJECT_KIND } from '../format/header.ts';
import { uuidToObjectId } from '../format/ids.ts';
import { CUSTODY_PREFIX, custodyName, pointName } from '../format/names.ts';
import { openObject, sealObject } from '../format/sealed-object.ts';
import { MAX_BYTES, requireReadable } from '../format/size-limits.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store } from '../ports/store.ts';
import { lockLike } from '../retention/lock-like-vault.ts';
import { isDamage, requireDamage } from '../verify/diagnose.ts';
import type { Hold } from './custody-types.ts';

/** Times are milliseconds since the epoch. */
export type CustodyEntry =
  | { readonly kind: 'retain'; readonly at: number; readonly until: number }
  | { readonly kind: 'hold'; readonly at: number; readonly holdId: string; readonly reason: string }
  | { readonly kind: 'release'; readonly at: number; readonly holdId: string }
  | { readonly kind: 'delete'; readonly at: number };

/** What the entries of one restore point come to. */
export interface CustodyState {
  /** How many entries there were. */
  readonly last: number;
  /** The latest of the dates that it was retained to; 0 if it never was. */
  readonly retainUntil: number;
  readonly holds: readonly Hold[];
  /** Final: nothing that comes after counts. */
  readonly deletedAt: number | null;
}

const UNTOUCHED: CustodyState = { last: 0, retainUntil: 0, holds: [], deletedAt: null };

/**
 * Retention, legal holds and deletion of restore points: for each a sequence of objects that are put if absent after the
 * last one that is known. So each is decided in the knowledge of all before it, and of a hold and a deletion at once, one
 * is first and the other is told.
 */
export class CustodyLog {
  readonly #store: Store;
  readonly #secrets: RepositorySecrets;
  /** Of points that were deleted: final. */
  readonly #deleted = new Map<string, CustodyState>();

  constructor(store: Store, secrets: RepositorySecrets) {
    this.#store = store;
    this.#secrets = secrets;
  }

  async read(pointId: string): Promise<CustodyState> {
    for (let before = -1; ;) {
      const known = this.#deleted.get(pointId);
      if (known !== undefined) {
        return known;
      }
      const numbers = await this.#numbers(pointId);
      try {
        return await this.#fold(pointId, numbers);
      } catch (error) {
        if (!isAppError(error, 'VAULT_OBJECT_MISSING') || numbers.length === before) {
          throw error;
        }
        // It may just be removed, long after its point.
        before = numbers.length;
      }
    }
  }

  /**
   * Whether some entry can be read and none of those that can is a deletion: the point was not deleted, whatever the others
   * say. Where none can be read, they may be anybody's.
   */
  async isKept(pointId: string): Promise<boolean> {
    if (this.#deleted.has(pointId)) {
      return false;
    }
    const { state, missing, opened } = await this.#gather(pointId, await this.#numbers(pointId));
    if (missing !== null && state.deletedAt === null) {
      requireDamage(missing);
    }
    return opened > 0 && state.deletedAt === null;
  }

  /** Points that have entries. */
  async pointIds(): Promise<ReadonlySet<string>> {
    const points = new Set<string>();
    for await (const { name } of this.#store.list(CUSTODY_PREFIX)) {
      const pointId = name.slice(CUSTODY_PREFIX.length).split('/', 1)[0] ?? '';
      if (isUuid(pointId) && numberOf(name, pointId).length > 0) {
        points.add(pointId);
      }
    }
    return points;
  }

  /** Every point that has entries. `onDamaged` is told of those of which nothing sure can be said. */
  async *list(onDamaged: (pointId: string, error: unknown) => void): AsyncIterable<[string, CustodyState]> {
    for (const pointId of await this.pointIds()) {
      try {
        yield [pointId, await this.read(pointId)];
      } catch (error) {
        onDamaged(pointId, error);
      }
    }
  }

  /** Those of the points that were deleted. `onDamaged` is told of those of which nothing sure can be said. */
  async findDeleted(
    points: ReadonlySet<string>,
    onDamaged: (pointId: string, error: unknown) => void,
  ): Promise<ReadonlySet<string>> {
    const deleted = new Set<string>();
    for (const pointId of await this.pointIds()) {
      try {
        if (points.has(pointId) && (await this.read(pointId)).deletedAt !== null) {
          deleted.add(pointId);
        }
      } catch (error) {
        onDamaged(pointId, error);
      }
    }
    return deleted;
  }

  /**
   * Adds what `decide` makes of the state as it stands, or nothing where that is null; asked again if another entry was
   * first. Durable when this returns.
   */
  async append(pointId: string, decide: (state: CustodyState) => CustodyEntry | null): Promise<CustodyState> {
    for (;;) {
      const state = await this.read(pointId);
      const entry = decide(state);
      if (entry === null) {
        await this.#makeDurable(pointId, state);
        return state;
      }
      const number = state.last + 1;
      const payload = Buffer.from(JSON.stringify({ number, ...entry }), 'utf8');
      const id = uuidToObjectId(pointId, 'point');
      const sealed = sealObject(OBJECT_KIND.custody, id, payload, this.#secrets);
      requireReadable(custodyName(pointId, number), sealed, MAX_BYTES.custody);
      // As long as the point itself: who could remove a hold, or a date, could have the point deleted by others.
      const lock = await lockLike(this.#store, pointName(pointId));
      if ((await this.#store.putIfAbsent(custodyName(pointId, number), [sealed], lock)) === 'created') {
        await this.#store.flush();
        return applyEntry(state, number, entry);
      }
      if (await isTakenByNone(this.#store, custodyName(pointId, number))) {
        throw corrupt(custodyName(pointId, number), 'is no object, and in the place of the next one');
      }
    }
  }

  /** Whoever put the entries that an answer stands on may have died before their names were durable. */
  async #makeDurable(pointId: string, { last }: CustodyState): Promise<void> {
    if (last > 0) {
      await this.#store.head(custodyName(pointId, last));
      await this.#store.flush();
    }
  }

  /**
   * For a point that is long gone. The last entry goes last: it says that it was deleted. What the store keeps is left to
   * a later call, with all that comes after it.
   */
  async remove(pointId: string, { last }: CustodyState): Promise<void> {
    try {
      for (let number = 1; number <= last; number += 1) {
        await this.#store.delete(custodyName(pointId, number));
      }
    } catch (error) {
      if (!isAppError(error, 'VAULT_RETAINED')) {
        throw error;
      }
    }
  }

  async #numbers(pointId: string): Promise<number[]> {
    const numbers: number[] = [];
    for await (const { name } of this.#store.list(custodyName(pointId, ''))) {
      numbers.push(...numberOf(name, pointId));
    }
    return numbers;
  }

  async #fold(pointId: string, numbers: readonly number[]): Promise<CustodyState> {
    const { state, missing } = await this.#gather(pointId, numbers);
    if (missing !== null && state.deletedAt === null) {
      throw missing;
    }
    return state;
  }

  /** What the entries that can be read come to, and why others can't: rather what may pass than damage. */
  async #gather(
    pointId: string,
    numbers: readonly number[],
  ): Promise<{ readonly state: CustodyState; readonly missing: unknown; readonly opened: number }> {
    const last = highestCounted(numbers);
    let state = UNTOUCHED;
    let missing: unknown = null;
    let opened = 0;
    let lacking = 0;
    // Lists are no snapshots: what lies between is asked for by its name.
    for (let number = 1; number <= last; number += 1) {
      try {
        state = applyEntry(state, number, await this.#readEntry(pointId, number));
        opened += 1;
      } catch (error) {
        missing = missing === null || !isDamage(error) ? error : missing;
        lacking += 1;
        if (lacking > MAX_GAP) {
          break;
        }
      }
    }
    const folded = { ...state, last };
    if (folded.deletedAt !== null) {
      this.#deleted.set(pointId, folded);
    }
    return { state: folded, missing, opened };
  }

  async #readEntry(pointId: string, number: number): Promise<CustodyEntry> {
    const name = custodyName(pointId, number);
    const expected = { id: uuidToObjectId(pointId, 'point'), kinds: [OBJECT_KIND.custody] };
    const { payload } = openObject(
      await this.#store.get(name, { maxBytes: MAX_BYTES.custody }),
      name,
      expected,
      this.#secrets,
    );
    const entry = JSON.parse(payload.toString('utf8')) as CustodyEntry & { readonly number: number };
    if (entry.number !== number) {
      throw corrupt(name, `is entry ${entry.number} of its restore point`);
    }
    return entry;
  }
}

function numberOf(name: string, pointId: string): number[] {
  const number = name.slice(custodyName(pointId, '').length);
  return isCounted(number) ? [Number(number)] : [];
}

function applyEntry(state: CustodyState, last: number, entry: CustodyEntry): CustodyState {
  if (state.deletedAt !== null) {
    return { ...state, last };
  }
  if (entry.kind === 'delete') {
    return { ...state, last, deletedAt: entry.at };
  }
  if (entry.kind === 'retain') {
    return { ...state, last, retainUntil: Math.max(state.retainUntil, entry.until) };
  }
  const { holdId, at } = entry;
  const others = state.holds.filter((hold) => hold.holdId !== holdId);
  const holds = entry.kind === 'hold' ? [...others, { holdId, placedAt: at, reason: entry.reason }] : others;
  return { ...state, last, holds };
}
