import type { ObjectId } from '../format/ids.ts';
import { packName } from '../format/names.ts';
import type { PackOutcome } from './check-packs.ts';
import type { DamagedObject, PackRecord, ScrubPace, VerifyRequest, VerifyState } from './verify-types.ts';

/** Data packs in the store, with their sizes in bytes. */
export type PresentPacks = ReadonlyMap<ObjectId, number>;

/** Which packs are read in which order, and what came of it. */
export class PackQueue {
  readonly damaged = new Map<ObjectId, DamagedObject>();
  readonly #request: VerifyRequest;
  readonly #present: PresentPacks;
  readonly #records = new Map<string, PackRecord>();
  readonly #known = new Set<ObjectId>();
  readonly #waiting: ObjectId[] = [];
  readonly #now: () => number;
  #next = 0;
  #checked = 0;
  #bytesRead = 0;
  #bytesTotal = 0;

  constructor(present: PresentPacks, request: VerifyRequest, now: () => number) {
    this.#present = present;
    this.#request = request;
    this.#now = now;
  }

  /** Of all packs that are to be read in this run. */
  get bytesTotal(): number {
    return this.#request.level === 0 ? 0 : this.#bytesTotal;
  }

  get total(): number {
    return this.#waiting.length;
  }

  get checked(): number {
    return this.#checked;
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Packs that were not read. */
  get left(): number {
    return this.#known.size - this.#checked;
  }

  get isComplete(): boolean {
    return this.#checked === this.total;
  }

  get state(): VerifyState {
    return { packs: Object.fromEntries(this.#records) };
  }

  /** Packs that are to be verified, those of them that are not known yet; the most urgent ones first. */
  add(packs: Iterable<ObjectId>): void {
    const fresh = [...new Set(packs)].filter((id) => !this.#known.has(id));
    for (const id of fresh) {
      this.#known.add(id);
      const record = this.#request.state?.packs[packName('data', id)] ?? this.#meet(id);
      if (record !== undefined) {
        this.#records.set(packName('data', id), record);
      }
    }
    const waiting = fresh
      .filter((id) => !this.#isFresh(id))
      .toSorted((a, b) => this.#urgency(a) - this.#urgency(b) || this.#seenBefore(a) - this.#seenBefore(b));
    const { scrub } = this.#request;
    for (const id of scrub === undefined ? waiting : this.#takeDue(waiting, scrub)) {
      this.#waiting.push(id);
      this.#bytesTotal += this.#present.get(id) ?? 0;
    }
  }

  next(): ObjectId | undefined {
    if (this.#bytesRead >= (this.#request.maxBytes ?? Infinity)) {
      return undefined;
    }
    const id = this.#waiting[this.#next];
    // More may be added after the last.
    this.#next += id === undefined ? 0 : 1;
    return id;
  }

  done({ id, damage, bytesRead }: PackOutcome): void {
    this.#note(id, { level: this.#request.level, checkedAt: this.#now(), damaged: damage !== null });
    if (damage !== null) {
      this.damaged.set(id, damage);
    }
    this.#checked += 1;
    this.#bytesRead += bytesRead;
  }

  /** A pack that a scrub meets for the first time counts from now on: its writer has just seen it whole. */
  #meet(id: ObjectId): PackRecord | undefined {
    if (this.#request.scrub === undefined) {
      return undefined;
    }
    return this.#note(id, { level: null, checkedAt: this.#now(), damaged: false });
  }

  #note(id: ObjectId, record: PackRecord): PackRecord {
    const name = packName('data', id);
    this.#records.set(name, record);
    this.#request.onPack?.(name, record);
    return record;
  }

  #isFresh(id: ObjectId): boolean {
    const { level, since = Infinity } = this.#request;
    const record = this.#records.get(packName('data', id));
    return (
      record !== undefined &&
      this.#present.has(id) &&
      !record.damaged &&
      record.level !== null &&
      record.level >= level &&
      record.checkedAt >= since
    );
  }

  /** What is due before the next run, and an even share of everything, so that there is never much due at once. */
  #takeDue(waiting: readonly ObjectId[], { periodMs, everyMs }: ScrubPace): ObjectId[] {
    const bytesOf = (id: ObjectId): number => this.#present.get(id) ?? 0;
    const all = [...this.#known].reduce((sum, id) => sum + bytesOf(id), 0);
    const share = all * Math.min(1, everyMs / periodMs);
    const dueSince = this.#now() + everyMs - periodMs;
    const due: ObjectId[] = [];
    let bytes = 0;
    for (const id of waiting) {
      if (bytes >= share && this.#urgency(id) > dueSince) {
        break;
      }
      due.push(id);
      bytes += bytesOf(id);
    }
    return due;
  }

  /** Gone or damaged ones first, then those never seen, then by age. */
  #urgency(id: ObjectId): number {
    const record = this.#records.get(packName('data', id));
    if (!this.#present.has(id) || record?.damaged === true) {
      return -1;
    }
    return record?.checkedAt ?? 0;
  }

  /** Of two with the same age, the one that was never read comes first. */
  #seenBefore(id: ObjectId): number {
    return this.#records.get(packName('data', id))?.level === null ? 0 : 1;
  }
}
