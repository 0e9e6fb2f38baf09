import type { Value } from './model/values.ts';

export interface Activity {
  readonly seq: number;
  /** ISO 8601. */
  readonly at: string;
  /** `call`, `http`, `nbd-open`, `nbd-read`, `nbd-close`, `guest-write`, `fault`, … */
  readonly type: string;
  readonly [detail: string]: Value | undefined;
}

const KEPT = 200_000;
/** How many of the oldest go at a time. */
const TRIMMED = 20_000;

interface DiskStats {
  nbdReads: number;
  nbdBytesRead: number;
  httpBytesRead: number;
  httpBytesWritten: number;
}

/** What the pools did, for tests to assert on: at least the last 200 000 entries, and sums that never forget. */
export class ActivityLog {
  readonly #entries: Activity[] = [];
  readonly #disks = new Map<string, DiskStats>();
  readonly #calls = new Map<string, number>();
  #seq = 0;

  add(type: string, details: Readonly<Record<string, Value>>): void {
    this.#seq += 1;
    this.#entries.push({ seq: this.#seq, at: new Date().toISOString(), type, ...details });
    if (this.#entries.length > KEPT + TRIMMED) {
      this.#entries.splice(0, TRIMMED);
    }
  }

  countCall(method: string): void {
    this.#calls.set(method, (this.#calls.get(method) ?? 0) + 1);
  }

  disk(uuid: string): DiskStats {
    const known = this.#disks.get(uuid);
    if (known !== undefined) {
      return known;
    }
    const fresh = { nbdReads: 0, nbdBytesRead: 0, httpBytesRead: 0, httpBytesWritten: 0 };
    this.#disks.set(uuid, fresh);
    return fresh;
  }

  since(seq: number, type?: string): readonly Activity[] {
    return this.#entries.filter((entry) => entry.seq > seq && (type === undefined || entry.type === type));
  }

  get stats(): { readonly seq: number; readonly calls: object; readonly disks: object } {
    return { seq: this.#seq, calls: Object.fromEntries(this.#calls), disks: Object.fromEntries(this.#disks) };
  }

  clear(): void {
    this.#entries.length = 0;
    this.#disks.clear();
    this.#calls.clear();
  }
}
