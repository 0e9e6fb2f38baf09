import { AppError, isAppError } from '../../kernel/errors.ts';
import { OBJECT_KIND } from '../format/header.ts';
import { numberToObjectId } from '../format/ids.ts';
import { waitsName } from '../format/names.ts';
import { openObject, sealObject } from '../format/sealed-object.ts';
import { MAX_BYTES } from '../format/size-limits.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { isKeptOnly } from '../sessions/kept-session.ts';
import { SessionStore, type Session } from '../sessions/session-store.ts';

/**
 * The sessions that may not know that packs were condemned, as they were listed after that: written down once, so that
 * later ones are waited for by nobody. Collectors look nothing up in the index, and are not among them.
 */
export async function recordWaits({ store, secrets }: RepositoryContext, number: number): Promise<void> {
  const name = waitsName(number);
  if ((await store.head(name)) !== null) {
    return;
  }
  const sessions: string[] = [];
  for await (const session of new SessionStore(store, secrets).list((sessionId) => sessions.push(sessionId))) {
    if (session.purpose !== 'collect') {
      sessions.push(session.sessionId);
    }
  }
  const payload = Buffer.from(JSON.stringify({ sessions }), 'utf8');
  await store.putIfAbsent(name, [sealObject(OBJECT_KIND.waits, numberToObjectId(number), payload, secrets)]);
  await store.flush();
}

export interface Waits {
  /** Those that have not ended yet and can be read. */
  readonly open: readonly Session[];
  /** Nobody is waited for any more. */
  readonly areOver: boolean;
}

/** What has become of those sessions; null where they were not written down, or that does not open. */
export async function findWaits(context: RepositoryContext, number: number): Promise<Waits | null> {
  const { store, secrets } = context;
  const name = waitsName(number);
  const expected = { id: numberToObjectId(number), kinds: [OBJECT_KIND.waits] };
  let ids: readonly string[];
  try {
    const { payload } = openObject(await store.get(name, { maxBytes: MAX_BYTES.waits }), name, expected, secrets);
    ids = (JSON.parse(payload.toString('utf8')) as { sessions: string[] }).sessions;
  } catch (error) {
    if (isAppError(error, 'VAULT_OBJECT_MISSING', 'VAULT_CORRUPT')) {
      return null;
    }
    throw error;
  }
  const sessions = new SessionStore(store, secrets);
  const found = await Promise.all(ids.map((id) => findOpen(context, sessions, id)));
  const there = found.filter((session) => session !== null);
  return {
    open: there.flatMap((session) => (session instanceof AppError ? [] : [session])),
    areOver: there.length === 0,
  };
}

/** An error: one that can't be read, and may be somebody's. */
async function findOpen(
  context: RepositoryContext,
  sessions: SessionStore,
  id: string,
): Promise<Session | AppError | null> {
  const found = await sessions.findWhole(id);
  const session = found instanceof AppError ? null : found;
  return found !== null && (await isKeptOnly(context, id, session)) ? null : found;
}
