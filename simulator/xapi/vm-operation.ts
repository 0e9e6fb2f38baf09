import type { Pool } from '../pool/pool.ts';
import type { Call } from '../rpc/call.ts';
import { XapiError } from '../xapi-error.ts';
import { findObstacle, updateAllowed } from './vm-lifecycle.ts';

/**
 * Runs an operation on a VM, booked in `current_operations` under the call's task. A VM that is busy is waited for,
 * as XAPI does, for as long as the settings say; every other obstacle is thrown at once.
 */
export async function withVmOperation<T>(
  call: Call,
  vm: string,
  operation: string,
  work: () => Promise<T>,
): Promise<T> {
  const { pool } = call;
  await waitUntilFree(call, vm, operation);
  const current = pool.db.map('VM', vm, 'current_operations');
  pool.db.set('VM', vm, { current_operations: { ...current, [call.task]: operation } });
  updateAllowed(pool, vm);
  try {
    return await work();
  } finally {
    release(pool, vm, call.task);
  }
}

async function waitUntilFree(call: Call, vm: string, operation: string): Promise<void> {
  const { pool } = call;
  const deadline = Date.now() + pool.settings.busyWaitMs;
  for (;;) {
    const obstacle = findObstacle(pool, vm, operation);
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

function release(pool: Pool, vm: string, task: string): void {
  if (pool.db.has('VM', vm)) {
    const { [task]: _ended, ...others } = pool.db.map('VM', vm, 'current_operations');
    pool.db.set('VM', vm, { current_operations: others });
    updateAllowed(pool, vm);
  }
}
