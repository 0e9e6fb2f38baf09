import { callbackify } from 'node:util';
import { Injectable } from '@nestjs/common';
import type { Request } from 'express';
import type { Strategy as PassportStrategy } from 'passport';
import { Strategy } from 'passport-http-bearer';
import type { Actor } from './actor.ts';
import { plainAddress } from './address-list.ts';
import { TokenAuthenticator } from './token-authenticator.ts';

type Done = (error: unknown, user?: Actor | false) => void;

/**
 * Passport's bearer strategy: `Authorization: Bearer hf_live_…` becomes the request's actor. The strategy would also
 * take `access_token` from a form or an address; those land in logs, and other sites' pages can send them.
 */
@Injectable()
export class BearerStrategy {
  readonly strategy: PassportStrategy;

  constructor(authenticator: TokenAuthenticator) {
    const find = callbackify((token: string, address: string | null) => authenticator.authenticate(token, address));
    const verify = (request: Request, token: string, done: Done): void => {
      if (request.get('authorization') === undefined) {
        done(null, false);
        return;
      }
      find(token, plainAddress(request.ip), (error, actor) => done(error, actor ?? false));
    };
    this.strategy = new Strategy<typeof verify>({ passReqToCallback: true, realm: 'holdfast' }, verify);
  }
}

/** What passport leaves on the request. */
export function actorOf(user: unknown): Actor | null {
  return typeof user === 'object' && user !== null && 'permissions' in user ? (user as Actor) : null;
}
