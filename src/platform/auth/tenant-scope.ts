import { Injectable } from '@nestjs/common';
import { ClsService } from 'nestjs-cls';
import { AppError } from '../../kernel/errors.ts';
import type { NodeKey } from '../../kernel/global-id.ts';
import type { Actor } from './actor.ts';

const ACTOR = 'actor';
const REQUEST_ID = 'requestId';

/** Whose behalf the current request, stream or activity runs on. Kept in AsyncLocalStorage; never guessed. */
@Injectable()
export class TenantScope {
  constructor(private readonly cls: ClsService) {}

  /** Runs `work` on behalf of `actor`, in a context of its own. */
  run<T>(actor: Actor, requestId: string | null, work: () => T): T {
    return this.cls.run({ ifNested: 'override' }, () => {
      this.cls.set(ACTOR, actor);
      this.cls.set(REQUEST_ID, requestId);
      return work();
    });
  }

  /** Runs `work` in a context that has no actor: what needs one answers UNAUTHENTICATED. */
  runAnonymous<T>(requestId: string, work: () => T): T {
    return this.cls.run({ ifNested: 'override' }, () => {
      this.cls.set(REQUEST_ID, requestId);
      return work();
    });
  }

  /** The current actor; throws UNAUTHENTICATED where none was established. */
  current(): Actor {
    const actor = this.find();
    if (actor === null) {
      throw new AppError('UNAUTHENTICATED', 'No valid credential came with this request.');
    }
    return actor;
  }

  /** The tenant that a request names, or the actor's own. */
  tenantOr(named: NodeKey | undefined): NodeKey {
    const { tenantId } = this.current();
    return named ?? { type: 'Tenant', tenantId, id: tenantId };
  }

  find(): Actor | null {
    return this.cls.isActive() ? (this.cls.get<Actor | undefined>(ACTOR) ?? null) : null;
  }

  requestId(): string | null {
    return this.cls.isActive() ? (this.cls.get<string | undefined>(REQUEST_ID) ?? null) : null;
  }
}
