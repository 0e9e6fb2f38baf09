import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { ActivityNotFoundError } from '@temporalio/client';
import { AppError } from '../kernel/errors.ts';
import { reportingOf, TIMING } from '../../workflows/contract/index.ts';

/**
 * Runs one attempt of an activity that a mover does. Reports that it is alive, and takes the cancellation that comes
 * with the answer. When no report got through for two thirds of the heartbeat time-out, or the server says that
 * another attempt has begun, the mover's signal is aborted: it stops writing before somebody else starts.
 */
export async function moverAttempt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  const fence = new AbortController();
  const ended = new AbortController();
  const signal = AbortSignal.any([context.cancellationSignal, fence.signal]);
  const reporting = report(context, fence, ended.signal);
  try {
    return await work(signal);
  } catch (error) {
    if (fence.signal.aborted) {
      throw fence.signal.reason;
    }
    if (context.cancellationSignal.aborted) {
      throw new AppError('CANCELLED', 'The operation was cancelled.', { cause: error });
    }
    throw error;
  } finally {
    ended.abort();
    await reporting;
  }
}

async function report(context: Context, fence: AbortController, ended: AbortSignal): Promise<void> {
  const { everyMs, fenceAfterMs } = reportingOf(context.info.heartbeatTimeoutMs ?? TIMING.heartbeatTimeoutMs);
  let lastHeard = performance.now();
  while (!ended.aborted && !fence.signal.aborted) {
    context.heartbeat();
    const heard = await askServer(context, everyMs);
    if (heard === 'superseded') {
      fence.abort(fenced('another attempt has begun'));
      return;
    }
    lastHeard = heard === 'alive' ? performance.now() : lastHeard;
    if (performance.now() - lastHeard >= fenceAfterMs) {
      fence.abort(fenced(`no report got through for ${Math.round(fenceAfterMs / 1000)} s`));
      return;
    }
    await delay(everyMs, undefined, { signal: ended }).catch(() => {
      // The attempt has ended; the loop sees it.
    });
  }
}

/** A heartbeat whose answer is awaited: the SDK's own tells nobody when the server is out of reach. */
async function askServer(context: Context, withinMs: number): Promise<'alive' | 'superseded' | 'silent'> {
  const { client } = context;
  try {
    const report = async (): Promise<void> => await client.activity.heartbeat(context.info.taskToken);
    await client.withDeadline(Date.now() + withinMs, report);
    return 'alive';
  } catch (error) {
    if (error instanceof ActivityNotFoundError) {
      return 'superseded';
    }
    // A server that answers, be it that the activity is cancelled, is in reach.
    return error instanceof Error && /^Activity(Cancelled|Paused|Reset)/.test(error.name) ? 'alive' : 'silent';
  }
}

function fenced(why: string): AppError {
  return new AppError('MOVER_LOST', `The mover stopped by itself: ${why}.`);
}

/** Keeps a callback in the scope it was made in, whoever calls it, and to one call at a time; the newest wins. */
export function inScope<Value>(write: (value: Value) => Promise<void>): (value: Value) => void {
  const enter = AsyncLocalStorage.snapshot();
  let next: { readonly value: Value } | undefined;
  let busy = false;
  const drain = async (): Promise<void> => {
    while (next !== undefined) {
      const { value } = next;
      next = undefined;
      await write(value).catch(() => {
        // Progress may be missed; the row's state can't be.
      });
    }
    busy = false;
  };
  return (value) => {
    next = { value };
    if (!busy) {
      busy = true;
      void enter(drain);
    }
  };
}
