import { setTimeout as sleep } from 'node:timers/promises';
import type { Call, Handlers } from '../rpc/call.ts';
import { XapiError } from '../xapi-error.ts';

async function login(call: Call): Promise<string> {
  const { pool } = call;
  const name = call.text(0);
  const user = pool.sessions.find(name, call.text(1));
  if (user === undefined) {
    await sleep(pool.settings.badPasswordDelayMs);
    throw new XapiError('SESSION_AUTHENTICATION_FAILED', [name, 'Authentication failure']);
  }
  return pool.sessions.open(user, call.host.ref, call.text(3));
}

export const sessionHandlers: Handlers = {
  'session.login_with_password': login,
  'session.slave_local_login_with_password': login,
  'session.logout': (call) => {
    call.pool.sessions.close(call.session);
    return '';
  },
  'session.local_logout': (call) => {
    call.pool.sessions.close(call.session);
    return '';
  },
};
