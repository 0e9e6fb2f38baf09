import type { Pool } from '../pool/pool.ts';
import { XapiError } from '../xapi-error.ts';

/** The power states in which each operation may begin; operations that are not named may begin in any. */
const STATES: Readonly<Record<string, readonly string[]>> = {
  export: ['Halted', 'Suspended'],
  destroy: ['Halted', 'Suspended'],
  checkpoint: ['Paused', 'Suspended', 'Running'],
  hard_shutdown: ['Paused', 'Suspended', 'Running'],
  clone: ['Halted'],
  copy: ['Halted'],
  clean_shutdown: ['Running'],
  clean_reboot: ['Running'],
  hard_reboot: ['Paused', 'Running'],
  suspend: ['Running'],
  resume: ['Suspended'],
  pause: ['Running'],
  unpause: ['Paused'],
  pool_migrate: ['Running'],
  start: ['Halted'],
  start_on: ['Halted'],
  provision: ['Halted'],
  make_into_template: ['Halted'],
  migrate_send: ['Halted', 'Suspended', 'Running'],
};

const ANY_STATE = ['snapshot', 'revert', 'metadata_export', 'power_state_reset'];
const ON_SNAPSHOT = new Set(['revert', 'clone', 'copy', 'export', 'destroy', 'hard_shutdown', 'metadata_export']);
const ON_TEMPLATE = new Set(['clone', 'copy', 'export', 'metadata_export', 'provision', 'destroy', 'migrate_send']);
const PREEMPTIVE = new Set(['hard_shutdown', 'hard_reboot']);
const OVERLAPPING = [new Set(['clone', 'copy', 'export']), new Set(['snapshot', 'checkpoint'])];

export const VM_OPERATIONS = [...Object.keys(STATES), ...ANY_STATE];

/** Why an operation may not begin on a VM, the first reason in XAPI's own order; undefined where it may. */
export function findObstacle(pool: Pool, vm: string, operation: string): XapiError | undefined {
  return (
    blocked(pool, vm, operation) ??
    wrongState(pool, vm, operation) ??
    concurrent(pool, vm, operation) ??
    wrongKind(pool, vm, operation)
  );
}

function blocked(pool: Pool, vm: string, operation: string): XapiError | undefined {
  const reason = pool.db.map('VM', vm, 'blocked_operations')[operation];
  return reason === undefined ? undefined : new XapiError('OPERATION_BLOCKED', [vm, reason]);
}

function wrongState(pool: Pool, vm: string, operation: string): XapiError | undefined {
  const states = STATES[operation];
  const actual = pool.db.text('VM', vm, 'power_state');
  const suspendedSnapshot = pool.db.flag('VM', vm, 'is_a_snapshot') && actual === 'Suspended';
  if (states === undefined || states.includes(actual) || (operation === 'clone' && suspendedSnapshot)) {
    return undefined;
  }
  const expected = states.map((state) => state.toLowerCase()).join(', ');
  return new XapiError('VM_BAD_POWER_STATE', [vm, expected, actual.toLowerCase()]);
}

function concurrent(pool: Pool, vm: string, operation: string): XapiError | undefined {
  if (PREEMPTIVE.has(operation)) {
    return undefined;
  }
  for (const [task, current] of Object.entries(pool.db.map('VM', vm, 'current_operations'))) {
    if (!OVERLAPPING.some((group) => group.has(current) && group.has(operation))) {
      return new XapiError('OTHER_OPERATION_IN_PROGRESS', ['VM', vm, current, task]);
    }
  }
  return undefined;
}

function wrongKind(pool: Pool, vm: string, operation: string): XapiError | undefined {
  const { db } = pool;
  if (db.flag('VM', vm, 'is_control_domain')) {
    return new XapiError('OPERATION_NOT_ALLOWED', ['This operation is not allowed on dom0']);
  }
  if (db.flag('VM', vm, 'is_a_snapshot')) {
    return ON_SNAPSHOT.has(operation) ? undefined : new XapiError('VM_IS_SNAPSHOT', [vm, operation]);
  }
  if (db.flag('VM', vm, 'is_a_template')) {
    return ON_TEMPLATE.has(operation) ? undefined : new XapiError('VM_IS_TEMPLATE', [vm, operation]);
  }
  if ((operation === 'snapshot' || operation === 'checkpoint') && db.list('VM', vm, 'VUSBs').length > 0) {
    return new XapiError('VM_HAS_VUSBS', [vm]);
  }
  return undefined;
}

export function updateAllowed(pool: Pool, vm: string): void {
  if (pool.db.has('VM', vm)) {
    const allowed = VM_OPERATIONS.filter((operation) => findObstacle(pool, vm, operation) === undefined);
    pool.db.set('VM', vm, { allowed_operations: allowed });
  }
}
