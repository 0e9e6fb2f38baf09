import type { Exchange } from '../http/exchange.ts';
import type { Pool } from '../pool/pool.ts';
import { XapiError, toXapiError } from '../xapi-error.ts';

/**
 * Lets a data handler's request in by its session or by basic authentication, with a session for as long as the
 * request takes. Answers 401 or 403 itself and returns undefined where it may not come in.
 */
export async function authenticate(
  exchange: Exchange,
  pool: Pool,
  realm: string,
  role: string,
): Promise<{ readonly leave: () => void } | undefined> {
  const session = exchange.parameter('session_id') ?? basicSession(exchange, pool);
  const temporary = exchange.parameter('session_id') === undefined;
  try {
    if (session === undefined) {
      throw new XapiError('SESSION_INVALID', ['']);
    }
    pool.sessions.authorise(session, realm, role);
  } catch (error) {
    await refuse(exchange, pool, realm, toXapiError(error));
    return undefined;
  }
  return {
    leave: () => {
      if (temporary) {
        pool.sessions.close(session);
      }
    },
  };
}

function basicSession(exchange: Exchange, pool: Pool): string | undefined {
  const match = /^Basic (.+)$/.exec(exchange.head.headers.get('authorization') ?? '');
  const [name = '', ...rest] = Buffer.from(match?.[1] ?? '', 'base64')
    .toString('utf8')
    .split(':');
  const user = match === null ? undefined : pool.sessions.find(name, rest.join(':'));
  return user === undefined ? undefined : pool.sessions.open(user, pool.coordinator.ref);
}

async function refuse(exchange: Exchange, pool: Pool, realm: string, error: XapiError): Promise<void> {
  exchange.close = true;
  if (error.code === 'RBAC_PERMISSION_DENIED') {
    await exchange.reply('403 Forbidden', { 'content-type': 'text/html' }, error.message);
    return;
  }
  const task = exchange.parameter('task_id');
  if (task !== undefined) {
    pool.tasks.fail(task, new XapiError('SESSION_AUTHENTICATION_FAILED', ['', 'Authentication failure']));
  }
  await exchange.reply('401 Unauthorised', { 'www-authenticate': `Basic realm="${realm}"` });
}
