import { AppError, isAppError } from '../../kernel/errors.ts';
import { isUuid } from '../../kernel/ids.ts';
import { OBJECT_KIND } from '../format/header.ts';
import { uuidToObjectId } from '../format/ids.ts';
import { journalPlaceOf, journalPrefix, sessionName } from '../format/names.ts';
import { openObject, sealObject } from '../format/sealed-object.ts';
import { MAX_BYTES, requireReadable } from '../format/size-limits.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store } from '../ports/store.ts';
import type { SessionRequest, SessionSummary } from './session-types.ts';

export interface Session extends SessionSummary {
  /** The repository's epoch when the session began; a later one fences it. */
  readonly epoch: number;
  /** Packs are locked for about as long when they are put. Of two that begin the same session the first one's. */
  readonly retainUntil?: number;
}

/** What helps a writer whose session counts no longer, where nobody has taken its work over. */
export const BEGIN_ANEW =
  'Begin a new session for a new restore point and write its disks again; what the vault has of them is not stored again.';

/** Whether its point may come to exist: such a session is fenced before it is removed. */
export function isWriter({ purpose }: SessionSummary): boolean {
  return purpose === 'backup';
}

/** Sessions as objects: put if absent, sealed, read again. */
export class SessionStore {
  readonly #store: Store;
  readonly #secrets: RepositorySecrets;

  constructor(store: Store, secrets: RepositorySecrets) {
    this.#store = store;
    this.#secrets = secrets;
  }

  /** BAD_INPUT if a session of that id announced something else. */
  async put(request: SessionRequest, startedAt: number, epoch: number): Promise<void> {
    const { sessionId, pointId, purpose, pins, retainUntil } = request;
    const id = uuidToObjectId(sessionId, 'session');
    const known = { sessionId, pointId, purpose, pins, startedAt, epoch };
    const session: Session = retainUntil === undefined ? known : { ...known, retainUntil };
    const sealed = sealObject(OBJECT_KIND.session, id, Buffer.from(JSON.stringify(session), 'utf8'), this.#secrets);
    requireReadable(sessionName(sessionId), sealed, MAX_BYTES.session);
    if ((await this.#store.putIfAbsent(sessionName(sessionId), [sealed])) === 'created') {
      return;
    }
    const stands = await this.get(sessionId);
    const same = stands.pointId === pointId && stands.purpose === purpose && samePins(stands.pins, request.pins);
    if (!same) {
      throw new AppError('BAD_INPUT', `Session ${sessionId} was begun before, for another point, purpose or pins.`);
    }
  }

  /** SESSION_FENCED if there is none: it was ended, or never begun. */
  async get(sessionId: string): Promise<Session> {
    const id = uuidToObjectId(sessionId, 'session');
    const name = sessionName(sessionId);
    let data: Uint8Array;
    try {
      data = await this.#store.get(name, { maxBytes: MAX_BYTES.session });
    } catch (error) {
      if (isAppError(error, 'VAULT_OBJECT_MISSING')) {
        throw new AppError('SESSION_FENCED', `Session ${sessionId} is not open: it was ended or never begun.`, {
          hint: BEGIN_ANEW,
        });
      }
      throw error;
    }
    const { payload } = openObject(data, name, { id, kinds: [OBJECT_KIND.session] }, this.#secrets);
    return JSON.parse(payload.toString('utf8')) as Session;
  }

  /** Its journal first: a session without one can still be ended again. False where the store keeps some of it. */
  async remove(sessionId: string): Promise<boolean> {
    try {
      for await (const { name } of this.#store.list(journalPrefix(sessionId))) {
        if (journalPlaceOf(name) !== null) {
          await this.#store.delete(name);
        }
      }
      await this.#store.delete(sessionName(sessionId));
      return true;
    } catch (error) {
      if (isAppError(error, 'VAULT_RETAINED')) {
        return false;
      }
      throw error;
    }
  }

  /** `onDamaged` is told of sessions that don't open, and the list goes on; without it they end the list. */
  async *list(onDamaged?: (sessionId: string) => void): AsyncIterable<Session> {
    const prefix = sessionName('');
    for await (const { name } of this.#store.list(prefix)) {
      const sessionId = name.slice(prefix.length);
      const session = isUuid(sessionId) ? await this.findWhole(sessionId) : null;
      if (session instanceof AppError) {
        if (onDamaged === undefined) {
          throw session;
        }
        onDamaged(sessionId);
      } else if (session !== null) {
        yield session;
      }
    }
  }

  /** As `find`, with damage as an answer: somebody is there, and nobody knows who. */
  async findWhole(sessionId: string): Promise<Session | AppError | null> {
    try {
      return await this.find(sessionId);
    } catch (error) {
      if (isAppError(error, 'VAULT_CORRUPT', 'VAULT_FORMAT_UNKNOWN')) {
        return error;
      }
      throw error;
    }
  }

  /** Null if it was ended, or never begun. */
  async find(sessionId: string): Promise<Session | null> {
    try {
      return await this.get(sessionId);
    } catch (error) {
      if (isAppError(error, 'SESSION_FENCED')) {
        return null;
      }
      throw error;
    }
  }
}

function samePins(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((pin) => b.includes(pin));
}
