import type { Call } from '../rpc/call.ts';
import { XapiError } from '../xapi-error.ts';

/**
 * Waits while what stands in the way is another operation on the object, as long as the settings say; throws every
 * other obstacle at once.
 */
export async function waitUntilFree(call: Call, findObstacle: () => XapiError | undefined): Promise<void> {
  const { pool } = call;
  const deadline = Date.now() + pool.settings.busyWaitMs;
  for (;;) {
    const obstacle = findObstacle();
    if (obstacle === undefined) {
      return;
    }
    if (obstacle.code !== 'OTHER_OPERATION_IN_PROGRESS' || Date.now() >= deadline) {
      throw obstacle;
    }
    await changeOrCancel(call, deadline - Date.now());
    if (call.signal?.aborted === true) {
      throw new XapiError('TASK_CANCELLED', [call.task]);
    }
  }
}

async function changeOrCancel(call: Call, milliseconds: number): Promise<void> {
  const { changes } = call.pool.db;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      changes.off('change', done);
      call.signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    changes.once('change', done);
    call.signal?.addEventListener('abort', done);
  });
}
