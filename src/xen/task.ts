import { throwIfAborted } from '../kernel/abort.ts';
import { AppError } from '../kernel/errors.ts';
import type { XapiConnection } from './xapi-connection.ts';
import type { TaskRecord } from './generated/records.ts';
import { fromXapiFailure } from './xapi-errors.ts';
import { isMap, parseRecord } from './xapi-records.ts';

/** XAPI takes a float here, and JSON has no way to write 30.0. */
const WAIT_SECONDS = 30.1;
const DESTROY_MS = 5000;

/**
 * Runs a long call as a task and returns its result: a ref, or '' for void. Where the signal is aborted the task is
 * cancelled, and this returns only after the pool has let go of it: nothing appears behind the caller's back.
 */
export async function runTask(
  connection: XapiConnection,
  method: string,
  params: readonly unknown[],
  signal?: AbortSignal,
): Promise<string> {
  throwIfAborted(signal);
  const task = await connection.callForString(`Async.${method}`, params);
  const cancel = (): void => {
    connection.call('task.cancel', [task]).catch(() => {
      // Done already, or it can't be cancelled: then it is waited for.
    });
  };
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    return await waitForTask(connection, task, method);
  } finally {
    signal?.removeEventListener('abort', cancel);
    await destroyTask(connection, task);
  }
}

/** Waits until the task is over. Throws its error, translated; a task that disappears has an unknown outcome. */
export async function waitForTask(
  connection: XapiConnection,
  task: string,
  during: string,
  signal?: AbortSignal,
): Promise<string> {
  let token = '';
  for (;;) {
    const answer = await connection.call('event.from', [[`task/${task}`], token, WAIT_SECONDS], signal);
    const { records, gone, next } = readEvents(answer, task);
    const last = records.at(-1);
    if (last !== undefined && last.status !== 'pending' && last.status !== 'cancelling') {
      return resultOf(last, during);
    }
    if (gone || (token === '' && last === undefined)) {
      throw new AppError('XAPI_FAILED', `${during}: the task vanished before it said how it ended.`, {
        data: { task, during },
      });
    }
    token = next;
  }
}

export async function destroyTask(connection: XapiConnection, task: string): Promise<void> {
  try {
    await connection.call('task.destroy', [task], AbortSignal.timeout(DESTROY_MS));
  } catch {
    // Gone already, or the pool is out of reach: a finished task that is left expires by itself.
  }
}

function readEvents(
  answer: unknown,
  task: string,
): { readonly records: readonly TaskRecord[]; readonly gone: boolean; readonly next: string } {
  if (!isMap(answer) || !Array.isArray(answer['events']) || typeof answer['token'] !== 'string') {
    throw new AppError('XAPI_RECORD_INVALID', 'event.from answered without events or token.');
  }
  const events = answer['events'].filter(isMap).filter((event) => event['ref'] === task);
  return {
    records: events
      .filter((event) => event['operation'] !== 'del')
      .map((event) => parseRecord('task', task, event['snapshot'])),
    gone: events.some((event) => event['operation'] === 'del'),
    next: answer['token'],
  };
}

function resultOf(task: TaskRecord, during: string): string {
  if (task.status === 'success') {
    // The result is a fragment of XML-RPC, also over JSON.
    return /<value>(?:<string>)?([^<]*)/.exec(task.result)?.[1] ?? '';
  }
  if (task.status === 'cancelled') {
    throw new AppError('CANCELLED', `${during} was cancelled.`);
  }
  const [code = 'INTERNAL_ERROR', ...params] = task.error_info;
  throw fromXapiFailure({ code, params }, during);
}
