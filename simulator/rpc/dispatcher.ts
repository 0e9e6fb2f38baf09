import type { ClassModel, MessageModel } from '../model/data-model.ts';
import { type Value, asText, newRef } from '../model/values.ts';
import type { Host } from '../pool/host.ts';
import type { Pool } from '../pool/pool.ts';
import { HANDLERS } from '../xapi/handlers.ts';
import { XapiError } from '../xapi-error.ts';
import { checkCount, hasSession, readArguments } from './arguments.ts';
import { Call, type Handler } from './call.ts';
import { genericHandler } from './generic.ts';
import { failIfOrdered } from './ordered-failure.ts';

export interface Answer {
  readonly value: Value;
  /** The data model's type of the value. */
  readonly type: string;
}

const ASYNC = /^(?:Async|InternalAsync)\./;
/** What a member answers without its coordinator. */
const ANSWERED_BY_MEMBERS = new Set(['session.slave_local_login_with_password', 'session.local_logout']);
const MOST_PENDING_CALLS = 100;

/** Calls that wait in the background of a pool; beyond a hundred XAPI refuses more. */
const pending = new WeakMap<Pool, number>();

/** Runs one call at one host of a pool. Throws an XapiError for whatever XAPI answers with an error. */
export async function dispatch(pool: Pool, host: Host, method: string, params: readonly Value[]): Promise<Answer> {
  pool.log.countCall(method);
  if (method === 'system.listMethods') {
    return { value: listMethods(pool), type: 'string set' };
  }
  const plain = method.replace(ASYNC, '');
  const found = pool.db.model.findMessage(plain);
  if (found === undefined) {
    throw new XapiError('MESSAGE_METHOD_UNKNOWN', [method]);
  }
  const { owner, message } = found;
  checkCount(plain, message, params);
  const session = hasSession(message) ? asText(params[0]) : '';
  if (host !== pool.coordinator && !ANSWERED_BY_MEMBERS.has(plain)) {
    throw new XapiError('HOST_IS_SLAVE', [pool.coordinator.address]);
  }
  if (hasSession(message)) {
    pool.sessions.authorise(session, plain, message.role);
  }
  if (message.removed) {
    throw new XapiError('MESSAGE_REMOVED', []);
  }
  const work = handlerOf(owner, message);
  const parts = { method: plain, session, args: readArguments(message, params, pool.db.model) };
  if (ASYNC.test(method)) {
    assertAsync(owner, message, plain);
    return { value: startTask({ pool, host }, parts, work, message.result), type: 'task ref' };
  }
  const call = new Call({ pool, host }, { ...parts, task: newRef() });
  await failIfOrdered(call, 'rpc');
  return { value: await work(call), type: message.result };
}

function startTask(
  at: { readonly pool: Pool; readonly host: Host },
  parts: { readonly method: string; readonly session: string; readonly args: readonly Value[] },
  work: Handler,
  resultType: string,
): string {
  const { tasks } = at.pool;
  const running = pending.get(at.pool) ?? 0;
  if (running >= MOST_PENDING_CALLS) {
    throw new XapiError('TOO_MANY_PENDING_TASKS', []);
  }
  pending.set(at.pool, running + 1);
  const task = tasks.create(`Async.${parts.method}`, '', { hostRef: at.host.ref });
  const call = new Call(at, { ...parts, task, signal: tasks.signal(task) });
  const run = async (): Promise<void> => {
    try {
      await failIfOrdered(call, 'rpc');
      tasks.succeed(task, await work(call), resultType);
    } catch (error) {
      tasks.fail(task, error);
    } finally {
      pending.set(at.pool, (pending.get(at.pool) ?? 1) - 1);
    }
  };
  // The caller has its task before the work begins; the outcome is in the task.
  setImmediate(() => {
    void run();
  });
  return task;
}

function handlerOf(owner: ClassModel, message: MessageModel): Handler {
  const method = `${owner.name}.${message.name}`;
  const handler = HANDLERS.get(method) ?? genericHandler(owner, message.name);
  if (handler === undefined) {
    return () => {
      throw new XapiError('NOT_IMPLEMENTED', [method]);
    };
  }
  return handler;
}

function assertAsync(owner: ClassModel, message: MessageModel, method: string): void {
  const neverAsync = ['session', 'event', 'task'].includes(owner.name) || /^(?:get|set|add|remove)_/.test(message.name);
  if (neverAsync && !HANDLERS.has(method)) {
    throw noAsync(method);
  }
  if (['session', 'event', 'task'].includes(owner.name)) {
    throw noAsync(method);
  }
}

function noAsync(method: string): XapiError {
  return new XapiError('Fault', [`No async mode for this operation (rpc: ${method})`]);
}

function listMethods(pool: Pool): string[] {
  return [...pool.db.model.classes.values()].flatMap((owner) =>
    [...owner.messages.keys()].map((name) => `${owner.name}.${name}`),
  );
}
