import { throwIfAborted } from '../../kernel/abort.ts';
import { AppError, isAppError } from '../../kernel/errors.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { readEpoch } from '../sessions/epoch.ts';
import type { Session } from '../sessions/session-store.ts';
import { SessionStore } from '../sessions/session-store.ts';

const BATCH = 64;

/** Deletes for one collection, and counts. What is handed to it may be deleted at any time later, by whomever. */
export class Deletions {
  bytes = 0;
  readonly #context: RepositoryContext;
  readonly #session: Session;
  readonly #signal: AbortSignal;

  constructor(context: RepositoryContext, session: Session, signal: AbortSignal) {
    this.#context = context;
    this.#session = session;
    this.#signal = signal;
  }

  /** Names with their sizes. Returns how many went: what the store keeps until a date stays. */
  async run(objects: ReadonlyMap<string, number>, onDone?: (done: number) => void): Promise<number> {
    const names = [...objects.keys()];
    let deleted = 0;
    for (let at = 0; at < names.length; at += BATCH) {
      await this.requireStanding();
      const outcomes = await Promise.all(names.slice(at, at + BATCH).map((name) => this.#delete(name)));
      outcomes.forEach((isGone, i) => {
        const bytes = objects.get(names[at + i] ?? '') ?? 0;
        this.bytes += isGone ? bytes : 0;
        deleted += isGone ? 1 : 0;
      });
      onDone?.(Math.min(at + BATCH, names.length));
    }
    return deleted;
  }

  /** A collector that was stopped for long finds its session gone, or the vault recovered, and leaves it to others. */
  async requireStanding(): Promise<void> {
    throwIfAborted(this.#signal);
    const { store, secrets } = this.#context;
    const { sessionId, epoch } = this.#session;
    const stands = await new SessionStore(store, secrets).find(sessionId);
    if (stands === null || (await readEpoch(store, secrets)) !== epoch) {
      throw new AppError('SESSION_FENCED', `Collection ${sessionId} was stopped for too long; another has taken over.`);
    }
  }

  async #delete(name: string): Promise<boolean> {
    const { store, clock } = this.#context;
    try {
      if (((await store.retention?.lockedUntil(name)) ?? 0) > clock.now()) {
        return false;
      }
      await store.delete(name);
      return true;
    } catch (error) {
      if (isAppError(error, 'VAULT_RETAINED', 'VAULT_OBJECT_MISSING')) {
        return false;
      }
      throw error;
    }
  }
}
