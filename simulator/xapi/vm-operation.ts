import type { Pool } from '../pool/pool.ts';
import type { Call } from '../rpc/call.ts';
import { failIfOrdered } from '../rpc/ordered-failure.ts';
import { findObstacle, updateAllowed } from './vm-lifecycle.ts';
import { waitUntilFree } from './wait-until-free.ts';

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
  await waitUntilFree(call, () => findObstacle(pool, vm, operation));
  const current = pool.db.map('VM', vm, 'current_operations');
  pool.db.set('VM', vm, { current_operations: { ...current, [call.task]: operation } });
  updateAllowed(pool, vm);
  try {
    await failIfOrdered(call, 'operation');
    return await work();
  } finally {
    release(pool, vm, call.task);
  }
}

function release(pool: Pool, vm: string, task: string): void {
  if (pool.db.has('VM', vm)) {
    const { [task]: _ended, ...others } = pool.db.map('VM', vm, 'current_operations');
    pool.db.set('VM', vm, { current_operations: others });
    updateAllowed(pool, vm);
  }
}
