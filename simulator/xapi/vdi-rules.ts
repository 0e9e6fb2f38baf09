import type { Pool } from '../pool/pool.ts';
import type { Call } from '../rpc/call.ts';
import { XapiError } from '../xapi-error.ts';
import { waitUntilFree } from './wait-until-free.ts';

const ON_METADATA = new Set(['destroy', 'data_destroy', 'list_changed_blocks', 'forget', 'update']);
const ONLINE = new Set(['snapshot', 'clone', 'enable_cbt', 'disable_cbt', 'resize_online', 'attach', 'read', 'write']);

function attachments(pool: Pool, vdi: string): string[] {
  return pool.db.list('VDI', vdi, 'VBDs').filter((vbd) => pool.db.flag('VBD', vbd, 'currently_attached'));
}

function inUse(pool: Pool, vdi: string, operation: string): boolean {
  const active = attachments(pool, vdi);
  switch (operation) {
    case 'list_changed_blocks':
      return active.some((vbd) => !pool.db.flag('VM', pool.db.text('VBD', vbd, 'VM'), 'is_a_snapshot'));
    case 'write':
      return active.length > 0;
    case 'read':
      return active.some((vbd) => pool.db.text('VBD', vbd, 'mode') === 'RW');
    case 'data_destroy':
      // It waits for attachments by itself.
      return false;
    default:
      return active.length > 0 && !ONLINE.has(operation);
  }
}

/** Throws the reason why XAPI would not begin this operation on a VDI now. */
export function assertVdi(pool: Pool, vdi: string, operation: string): void {
  const obstacle = findVdiObstacle(pool, vdi, operation);
  if (obstacle !== undefined) {
    throw obstacle;
  }
}

function findVdiObstacle(pool: Pool, vdi: string, operation: string): XapiError | undefined {
  const { db } = pool;
  const [current] = Object.entries(db.map('VDI', vdi, 'current_operations'));
  if (current !== undefined) {
    return new XapiError('OTHER_OPERATION_IN_PROGRESS', ['VDI', vdi, current[1], current[0]]);
  }
  const type = db.text('VDI', vdi, 'type');
  if (type === 'cbt_metadata' && !ON_METADATA.has(operation)) {
    return new XapiError('VDI_INCOMPATIBLE_TYPE', [vdi, type]);
  }
  if (inUse(pool, vdi, operation)) {
    return new XapiError('VDI_IN_USE', [vdi, operation]);
  }
  if (db.text('VDI', vdi, 'on_boot') === 'reset' && ['snapshot', 'enable_cbt'].includes(operation)) {
    return new XapiError('VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION', []);
  }
  return undefined;
}

/** Books an operation on a VDI for as long as the work takes; waits for another one that is booked. */
export async function withVdiOperation<T>(
  call: Call,
  vdi: string,
  operation: string,
  work: () => Promise<T>,
): Promise<T> {
  const { pool } = call;
  await waitUntilFree(call, () => findVdiObstacle(pool, vdi, operation));
  pool.db.set('VDI', vdi, { current_operations: { [call.task]: operation } });
  try {
    return await work();
  } finally {
    if (pool.db.has('VDI', vdi)) {
      pool.db.set('VDI', vdi, { current_operations: {} });
    }
  }
}
