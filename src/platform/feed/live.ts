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

  /** Runs `work` as the listener, judged now. */
  async as<T>(listener: Listener, permission: Permission, work: () => Promise<T>): Promise<T> {
    const actor = await this.actorOf(listener);
    requirePermission(actor, permission);
    return await this.scope.run(actor, listener.requestId, work);
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
    for await (const _ of this.feed.looks(signal)) {
      let next: Look<T>['next'] = 'AGAIN';
      while (next === 'AGAIN' && !signal.aborted) {
        const found = await this.as(listener, permission, look);
        yield* found.items;
        next = found.next;
      }
      if (next === 'END') {
        return;
      }
    }
  }
}
