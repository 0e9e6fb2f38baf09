import { isAppError } from '../../kernel/errors.ts';
import { limit } from '../../kernel/limit.ts';
import { quiet } from '../../kernel/quiet.ts';
import type { ObjectId } from '../format/ids.ts';
import { journalPlaceOf, sessionName } from '../format/names.ts';
import { encodeRecords } from '../manifest/segment-record.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { putJournalEntry, readJournalEntry } from '../sessions/journal-entry.ts';

const JOURNALS_AT_ONCE = 16;
/** Where the journal of a write has what tells disks apart. */
const COLLECTION_TAG = '0000000000000000';

export interface FoundJournal {
  readonly name: string;
  readonly sessionId: string;
  readonly entryId: ObjectId;
}

/** Journal entries of all sessions. */
export async function* listJournals({ store }: RepositoryContext): AsyncIterable<FoundJournal> {
  for await (const { name } of store.list(sessionName(''))) {
    const place = journalPlaceOf(name);
    if (place !== null) {
      yield { name, sessionId: place.sessionId, entryId: place.entryId };
    }
  }
}

/** Packs that open sessions have stored, or are about to: their journals name packs before they are put. */
export async function findOwnPacks(context: RepositoryContext): Promise<ReadonlySet<ObjectId>> {
  const own = new Set<ObjectId>();
  const turn = limit(JOURNALS_AT_ONCE);
  const reads: Promise<void>[] = [];
  for await (const journal of listJournals(context)) {
    reads.push(quiet(turn(async () => (await readPacks(context, journal)).forEach((pack) => own.add(pack)))));
  }
  await Promise.all(reads);
  return own;
}

/** Says that this session is about to put a pack. */
export async function announcePack(context: RepositoryContext, sessionId: string, pack: ObjectId): Promise<void> {
  const head = { bytesRead: 0, chunksRead: 0, chunksNew: 0, packs: [pack] };
  const place = { sessionId, tag: COLLECTION_TAG };
  await putJournalEntry(context.store, context.secrets, place, { head, records: encodeRecords([]) });
}

async function readPacks(
  { store, secrets }: RepositoryContext,
  { name, entryId }: FoundJournal,
): Promise<readonly ObjectId[]> {
  try {
    return (await readJournalEntry(store, secrets, name, entryId)).head.packs;
  } catch (error) {
    // Its session ended, or will find it damaged itself. To nominate its packs costs work, never data.
    if (isAppError(error, 'VAULT_OBJECT_MISSING', 'VAULT_CORRUPT')) {
      return [];
    }
    throw error;
  }
}
