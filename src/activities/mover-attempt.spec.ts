import { Context } from '@temporalio/activity';
import { ActivityCancelledError, ActivityNotFoundError, type Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { inScope, moverAttempt } from './mover-attempt.ts';

/** A server that answers heartbeats as the test says. */
function clientOf(heartbeat: () => Promise<void>): Client {
  const inTurn = async (_: unknown, ask: () => Promise<unknown>): Promise<unknown> => await ask();
  const client = { activity: { heartbeat }, withDeadline: inTurn, withAbortSignal: inTurn };
  return client as unknown as Client;
}

function environment(heartbeat: () => Promise<void>): MockActivityEnvironment {
  return new MockActivityEnvironment({ heartbeatTimeoutMs: 120 }, { client: clientOf(heartbeat) });
}

/** Writes until its signal says stop, as a mover does. */
async function writeUntilStopped(signal: AbortSignal): Promise<never> {
  await new Promise((resolve) => {
    signal.addEventListener('abort', resolve, { once: true });
  });
  throw new Error('the socket was closed');
}

async function attempt(): Promise<never> {
  return await moverAttempt(writeUntilStopped);
}

describe('an attempt of a mover', () => {
  it('gives back what the mover gives while reports get through', async () => {
    const run = environment(async () => undefined).run(async () => await moverAttempt(async () => 'done'));
    await expect(run).resolves.toBe('done');
  });

  it('stops writing when no report gets through', async () => {
    const silent = environment(async () => {
      throw new Error('14 UNAVAILABLE');
    });
    await expect(silent.run(attempt)).rejects.toMatchObject({ code: 'MOVER_LOST' });
  });

  it('stops writing at once when another attempt has begun', async () => {
    const superseded = environment(async () => {
      throw new ActivityNotFoundError('not found');
    });
    await expect(superseded.run(attempt)).rejects.toMatchObject({ code: 'MOVER_LOST' });
  });

  it('is not thought lost by a server that says it is cancelled, and ends as cancelled', async () => {
    const cancelled = environment(async () => {
      throw new ActivityCancelledError('cancel requested');
    });
    const running = cancelled.run(attempt);
    cancelled.cancel();
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('passes the mover’s own errors on', async () => {
    const failing = environment(async () => undefined).run(
      async () =>
        await moverAttempt(async () => {
          throw new TypeError(`${Context.current().info.attempt} broke`);
        }),
    );
    await expect(failing).rejects.toThrow(TypeError);
  });
});

describe('a callback in its scope', () => {
  it('is called one at a time, with the newest value last, and survives failures', async () => {
    const written: number[] = [];
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const report = inScope(async (value: number) => {
      await gate;
      written.push(value);
      if (value === 1) {
        throw new Error('the database is away');
      }
    });
    report(1);
    report(2);
    report(3);
    release();
    await expect.poll(() => written).toEqual([1, 3]);
  });
});
