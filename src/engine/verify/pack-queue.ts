import type { ObjectId } from '../format/ids.ts';
import { packName } from '../format/names.ts';
import type { PackOutcome } from './check-packs.ts';
import type { DamagedObject, PackRecord, VerifyRequest, VerifyState } from './verify-types.ts';

/** Which packs are read in which order, and what came of it. */
export class PackQueue {
  readonly damaged = new Map<ObjectId, DamagedObject>();
  readonly total: number;
  readonly #request: VerifyRequest;
  readonly #records = new Map<string, PackRecord>();
  readonly #waiting: ObjectId[];
  readonly #count: number;
  readonly #now: () => number;
  #next = 0;
  #checked = 0;
  #bytesRead = 0;

  constructor(packs: ReadonlySet<ObjectId>, request: VerifyRequest, now: () => number) {
    const { level, since = Infinity, state } = request;
    this.#request = request;
    this.#now = now;
    this.#count = packs.size;
    for (const id of packs) {
      const record = state?.packs[packName('data', id)];
      if (record !== undefined) {
        this.#records.set(packName('data', id), record);
      }
    }
    const isFresh = (record: PackRecord | undefined): boolean =>
      record !== undefined && !record.damaged && record.level >= level && record.checkedAt >= since;
    this.#waiting = [...packs]
      .filter((id) => !isFresh(this.#records.get(packName('data', id))))
      .toSorted((a, b) => this.#urgency(a) - this.#urgency(b));
    this.total = this.#waiting.length;
  }

  get waiting(): readonly ObjectId[] {
    return this.#waiting;
  }

  get checked(): number {
    return this.#checked;
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Packs that were not read. */
  get left(): number {
    return this.#count - this.#checked;
  }

  get isComplete(): boolean {
    return this.#checked === this.total;
  }

  get state(): VerifyState {
    return { packs: Object.fromEntries(this.#records) };
  }

  next(): ObjectId | undefined {
    if (this.#bytesRead >= (this.#request.maxBytes ?? Infinity)) {
      return undefined;
    }
    const id = this.#waiting[this.#next];
    this.#next += 1;
    return id;
  }

  done({ id, damage, bytesRead }: PackOutcome): void {
    const name = packName('data', id);
    const record = { level: this.#request.level, checkedAt: this.#now(), damaged: damage !== null };
    this.#records.set(name, record);
    if (damage !== null) {
      this.damaged.set(id, damage);
    }
    this.#checked += 1;
    this.#bytesRead += bytesRead;
    this.#request.onPack?.(name, record);
  }

  /** Damaged ones first, then those never seen, then by age. */
  #urgency(id: ObjectId): number {
    const record = this.#records.get(packName('data', id));
    if (record === undefined) {
      return 0;
    }
    return record.damaged ? -1 : record.checkedAt;
  }
}
