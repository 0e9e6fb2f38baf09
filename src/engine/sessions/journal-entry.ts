import { OBJECT_KIND } from '../format/header.ts';
import { newObjectId, type ObjectId } from '../format/ids.ts';
import { journalName } from '../format/names.ts';
import { openObject, sealObject } from '../format/sealed-object.ts';
import { MAX_BYTES } from '../format/size-limits.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store } from '../ports/store.ts';

/** Counters of a write; those of an entry say what was added since the entry before. */
export interface WriteCounts {
  readonly bytesRead: number;
  readonly chunksRead: number;
  readonly chunksNew: number;
}

export interface EntryPacks {
  /** Packs of this write that the records of the entry need. */
  readonly packs: readonly ObjectId[];
  /** Packs of this write that an index segment lists. */
  readonly published?: readonly ObjectId[];
}

export type EntryHead = WriteCounts & EntryPacks;

export interface SealedEntry {
  readonly head: EntryHead;
  /** Segment records, encoded. */
  readonly records: Buffer;
}

/** Length of the head, the head as JSON, records; under a fresh id. `tag`: what tells writes of one session apart. */
export async function putJournalEntry(
  store: Store,
  secrets: RepositorySecrets,
  { sessionId, tag }: { readonly sessionId: string; readonly tag: string },
  entry: SealedEntry,
): Promise<void> {
  const head = Buffer.from(JSON.stringify(entry.head), 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  const id = newObjectId();
  const sealed = sealObject(OBJECT_KIND.journal, id, Buffer.concat([length, head, entry.records]), secrets);
  await store.putIfAbsent(journalName(sessionId, tag, id), [sealed]);
}

/** VAULT_OBJECT_MISSING if its session has ended, VAULT_CORRUPT. */
export async function readJournalEntry(
  store: Store,
  secrets: RepositorySecrets,
  name: string,
  id: ObjectId,
): Promise<SealedEntry> {
  const { payload } = openObject(
    await store.get(name, { maxBytes: MAX_BYTES.journal }),
    name,
    { id, kinds: [OBJECT_KIND.journal] },
    secrets,
  );
  const length = payload.readUInt32LE(0);
  const head = JSON.parse(payload.toString('utf8', 4, 4 + length)) as EntryHead;
  return { head, records: payload.subarray(4 + length) };
}
