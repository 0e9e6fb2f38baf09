import { Injectable } from '@nestjs/common';
import { AppError } from '../../kernel/errors.ts';
import type { Actor } from '../auth/actor.ts';
import { requirePermission } from '../auth/permission.guard.ts';
import type { Permission } from '../auth/permissions.ts';
import { TenantScope } from '../auth/tenant-scope.ts';
import { TokenAuthenticator } from '../auth/token-authenticator.ts';
import { Feed } from './feed.ts';

/** Whose stream it is. The credential itself is kept, to be judged again for as long as the stream lasts. */
export interface Listener {
  readonly token: string;
  readonly address: string | null;
  readonly requestId: string;
}

/** What one look at the rows came to. */
export interface Look<T> {
  readonly items: readonly T[];
  /** `AGAIN`: there is more already. `WAIT`: not before something moves. `END`: nothing will ever follow. */
  readonly next: 'AGAIN' | 'WAIT' | 'END';
}

/** Streams: rows read again under the listener's own scope whenever something may have moved. */
@Injectable()
export class Live {
  constructor(
    private readonly feed: Feed,
    private readonly scope: TenantScope,
    private readonly authenticator: TokenAuthenticator,
  ) {}

  /** Who the listener is now; UNAUTHENTICATED where the token has been revoked, has expired or may not come from there. */
  async actorOf({ token, address }: Listener): Promise<Actor> {
    const actor = await this.authenticator.authenticate(token, address);
    if (actor === null) {
      throw new AppError('UNAUTHENTICATED', 'The credential of this stream is not valid any more.');
    }
    return actor;
  }

  /**
   * Yields what each look finds, until one says that nothing follows, the signal is aborted or the process shuts down.
   * Throws what the look throws, and UNAUTHENTICATED once the credential is not valid any more.
   */
  async *follow<T>(
    listener: Listener,
    permission: Permission,
    look: () => Promise<Look<T>>,
    signal: AbortSignal,
  ): AsyncGenerator<T> {
    const judged = new JudgedListener(listener, async () => {
      const actor = await this.actorOf(listener);
      requirePermission(actor, permission);
      return actor;
    });
    for await (const _ of this.feed.looks(signal)) {
      let next: Look<T>['next'] = 'AGAIN';
      while (next === 'AGAIN' && !signal.aborted) {
        const found = await this.#look(judged, look);
        yield* found.items;
        next = found.next;
      }
      if (next === 'END') {
        return;
      }
    }
  }

  /** Nothing is handed on before the credential has been judged again. */
  async #look<T>(judged: JudgedListener, look: () => Promise<Look<T>>): Promise<Look<T>> {
    const found = await this.scope.run(await judged.lately(), judged.listener.requestId, look);
    if (found.items.length > 0) {
      await judged.now();
    }
    return found;
  }
}

/** How old a judgement may be for a look that finds nothing: wakes come several times a second. */
const LATELY_MS = 1_000;

/** A listener and what its credential was last found to be. */
class JudgedListener {
  readonly listener: Listener;
  readonly #judge: () => Promise<Actor>;
  #actor: Actor | undefined;
  #judgedAt = 0;

  constructor(listener: Listener, judge: () => Promise<Actor>) {
    this.listener = listener;
    this.#judge = judge;
  }

  async lately(): Promise<Actor> {
    return this.#actor !== undefined && performance.now() - this.#judgedAt < LATELY_MS ? this.#actor : await this.now();
  }

  async now(): Promise<Actor> {
    this.#actor = await this.#judge();
    this.#judgedAt = performance.now();
    return this.#actor;
  }
}
