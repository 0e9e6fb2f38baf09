import type { Pool } from '../pool/pool.ts';
import { XapiError } from '../xapi-error.ts';

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
  const { db } = pool;
  const [current] = Object.entries(db.map('VDI', vdi, 'current_operations'));
  if (current !== undefined) {
    throw new XapiError('OTHER_OPERATION_IN_PROGRESS', ['VDI', vdi, current[1], current[0]]);
  }
  const type = db.text('VDI', vdi, 'type');
  if (type === 'cbt_metadata' && !ON_METADATA.has(operation)) {
    throw new XapiError('VDI_INCOMPATIBLE_TYPE', [vdi, type]);
  }
  if (inUse(pool, vdi, operation)) {
    throw new XapiError('VDI_IN_USE', [vdi, operation]);
  }
  if (db.text('VDI', vdi, 'on_boot') === 'reset' && ['snapshot', 'enable_cbt'].includes(operation)) {
    throw new XapiError('VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION', []);
  }
}

/** Books an operation on a VDI for as long as the work takes. */
export async function withVdiOperation<T>(
  pool: Pool,
  vdi: string,
  booking: { readonly operation: string; readonly task: string },
  work: () => Promise<T>,
): Promise<T> {
  assertVdi(pool, vdi, booking.operation);
  pool.db.set('VDI', vdi, { current_operations: { [booking.task]: booking.operation } });
  try {
    return await work();
  } finally {
    if (pool.db.has('VDI', vdi)) {
      pool.db.set('VDI', vdi, { current_operations: {} });
    }
  }
}
