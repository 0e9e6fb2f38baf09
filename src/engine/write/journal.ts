import { AppError, isAppError } from '../../kernel/errors.ts';
import { limit } from '../../kernel/limit.ts';
import type { ObjectId } from '../format/ids.ts';
import { journalPlaceOf, journalPrefix, packName } from '../format/names.ts';
import { keyedDigest } from '../keys/digest.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import { decodeRecords, encodeRecords, type SegmentRecord } from '../manifest/segment-record.ts';
import type { Store } from '../ports/store.ts';
import {
  putJournalEntry,
  readJournalEntry,
  type EntryHead,
  type EntryPacks,
  type WriteCounts,
} from '../sessions/journal-entry.ts';
import { BEGIN_ANEW } from '../sessions/session-store.ts';

const TAG_HEX = 16;
const LOOKUPS_AT_ONCE = 16;
/** Entries that stay decoded: neighbouring segments are in few of them. */
const CACHED_ENTRIES = 8;

interface JournalEntry {
  readonly head: EntryHead;
  readonly records: readonly SegmentRecord[];
}

/** Segments that an interrupted call has settled. */
export interface SettledSegments {
  readonly size: number;
  has(segment: number): boolean;
  read(segment: number): Promise<SegmentRecord>;
}

export interface JournalState {
  readonly counts: WriteCounts;
  /** Everything that these name is in the store. */
  readonly settled: SettledSegments;
  /** Packs of this write that are in the store, and perhaps in no index segment. */
  readonly unpublished: readonly ObjectId[];
  /** Of all packs of this write that are in the store. */
  readonly storedBytes: number;
}

/**
 * What a write has settled, as objects beside its session. An entry is written before the pack that it names: it counts
 * as far as its packs are in the store, so that no pack is uploaded twice, whenever the writer was killed.
 */
export class WriteJournal {
  readonly #store: Store;
  readonly #secrets: RepositorySecrets;
  readonly #sessionId: string;
  readonly #tag: string;

  /** `identity` tells writes of one session apart: disk, size, base and change list. */
  constructor(store: Store, secrets: RepositorySecrets, sessionId: string, identity: string) {
    this.#store = store;
    this.#secrets = secrets;
    this.#sessionId = sessionId;
    const digest = keyedDigest(secrets.nameKey, Buffer.from(`journal\0${sessionId}\0${identity}`, 'utf8'));
    this.#tag = digest.toString('hex').slice(0, TAG_HEX);
  }

  async append(counts: WriteCounts, packs: EntryPacks, records: readonly SegmentRecord[]): Promise<void> {
    const entry = { head: { ...counts, ...packs }, records: encodeRecords(records) };
    await putJournalEntry(this.#store, this.#secrets, { sessionId: this.#sessionId, tag: this.#tag }, entry);
  }

  /** What counts of it. Entries are read again when their records are asked for: a large disk has many. */
  async load(): Promise<JournalState> {
    const names: string[] = [];
    const prefix = journalPrefix(this.#sessionId, this.#tag);
    for await (const { name } of this.#store.list(prefix)) {
      if (journalPlaceOf(name) !== null) {
        names.push(name);
      }
    }
    const entries = new EntryReader(names, (name) => this.#read(name, name.slice(prefix.length)));
    const heads: EntryHead[] = [];
    await entries.each(({ head }) => heads.push(head));
    const own = new Set(heads.flatMap(({ packs }) => packs));
    const packs = await this.#stored([...own]);
    const entryOf = new Map<number, number>();
    await entries.each(({ records }, number) => {
      for (const record of records) {
        if (packsOf(record).every((pack) => !own.has(pack) || packs.has(pack))) {
          entryOf.set(record.segment, number);
        }
      }
    });
    const published = new Set(heads.flatMap((head) => head.published ?? []));
    return {
      counts: sumCounts(heads),
      settled: {
        size: entryOf.size,
        has: (segment) => entryOf.has(segment),
        read: (segment) => entries.record(entryOf.get(segment), segment),
      },
      unpublished: [...packs.keys()].filter((pack) => !published.has(pack)),
      storedBytes: [...packs.values()].reduce((sum, sizeBytes) => sum + sizeBytes, 0),
    };
  }

  async #read(name: string, id: string): Promise<JournalEntry> {
    try {
      const { head, records } = await readJournalEntry(this.#store, this.#secrets, name, id);
      return { head, records: decodeRecords(records, name) };
    } catch (error) {
      if (isAppError(error, 'VAULT_OBJECT_MISSING')) {
        // It was there a moment ago: whoever ends a session removes its journal first.
        throw new AppError('SESSION_FENCED', `Session ${this.#sessionId} is being ended by somebody else.`, {
          hint: BEGIN_ANEW,
          cause: error,
        });
      }
      throw error;
    }
  }

  async #stored(packs: readonly ObjectId[]): Promise<Map<ObjectId, number>> {
    const turn = limit(LOOKUPS_AT_ONCE);
    const sizes = new Map<ObjectId, number>();
    await Promise.all(
      packs.map((pack) =>
        turn(async () => {
          const found = await this.#store.head(packName('data', pack));
          if (found !== null) {
            sizes.set(pack, found.sizeBytes);
          }
        }),
      ),
    );
    return sizes;
  }
}

class EntryReader {
  readonly #names: readonly string[];
  readonly #load: (name: string) => Promise<JournalEntry>;
  readonly #cache = new Map<number, Promise<JournalEntry>>();

  constructor(names: readonly string[], load: (name: string) => Promise<JournalEntry>) {
    this.#names = names;
    this.#load = load;
  }

  async each(use: (entry: JournalEntry, number: number) => void): Promise<void> {
    const turn = limit(LOOKUPS_AT_ONCE);
    await Promise.all(this.#names.map((_, number) => turn(async () => use(await this.#entry(number), number))));
  }

  async record(number: number | undefined, segment: number): Promise<SegmentRecord> {
    const entry = number === undefined ? undefined : await this.#entry(number);
    const record = entry?.records.find((candidate) => candidate.segment === segment);
    if (record === undefined) {
      throw new RangeError(`segment ${segment} is not in the journal`);
    }
    return record;
  }

  #entry(number: number): Promise<JournalEntry> {
    const loading = this.#cache.get(number) ?? this.#load(this.#names[number] ?? '');
    this.#cache.delete(number);
    this.#cache.set(number, loading);
    loading.catch(() => this.#cache.delete(number));
    const [oldest] = this.#cache.keys();
    if (this.#cache.size > CACHED_ENTRIES && oldest !== undefined) {
      this.#cache.delete(oldest);
    }
    return loading;
  }
}

export function packsOf(record: SegmentRecord): ObjectId[] {
  const packs = new Set<ObjectId>();
  for (const run of record.runs) {
    for (const { chunk } of run.entries) {
      if (chunk !== null) {
        packs.add(chunk.pack);
      }
    }
  }
  return [...packs];
}

export function sumCounts(counts: readonly WriteCounts[]): WriteCounts {
  const sum = { bytesRead: 0, chunksRead: 0, chunksNew: 0 };
  for (const { bytesRead, chunksRead, chunksNew } of counts) {
    sum.bytesRead += bytesRead;
    sum.chunksRead += chunksRead;
    sum.chunksNew += chunksNew;
  }
  return sum;
}
