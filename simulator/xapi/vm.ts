import { NULL_REF } from '../model/values.ts';
import type { Call, Handlers } from '../rpc/call.ts';
import { XapiError } from '../xapi-error.ts';
import { constructorFields } from './record-fields.ts';
import { findObstacle, updateAllowed } from './vm-lifecycle.ts';
import { withVmOperation } from './vm-operation.ts';

/** `blocked_operations` given to the constructor are ignored, as XAPI ignores them. */
function create(call: Call): string {
  const { pool } = call;
  const fields = constructorFields(call, 'VM');
  const suspended = fields['power_state'] === 'Suspended';
  if (suspended && (fields['suspend_VDI'] ?? NULL_REF) === NULL_REF) {
    throw new XapiError('VM_BAD_POWER_STATE', [NULL_REF, 'halted', 'suspended']);
  }
  const vm = pool.db.create('VM', {
    ...fields,
    blocked_operations: {},
    power_state: suspended ? 'Suspended' : 'Halted',
    domid: -1,
    metrics: pool.db.create('VM_metrics', {}),
  });
  updateAllowed(pool, vm);
  return vm;
}

/** Disks stay; interfaces and attachments go with the VM. */
export async function destroyVm(call: Call, vm: string): Promise<string> {
  const { db } = call.pool;
  return await withVmOperation(call, vm, 'destroy', async () => {
    for (const vbd of db.list('VM', vm, 'VBDs')) {
      db.destroy('VBD', vbd);
    }
    for (const vif of db.list('VM', vm, 'VIFs')) {
      db.destroy('VIF', vif);
    }
    const metrics = db.text('VM', vm, 'metrics');
    if (db.has('VM_metrics', metrics)) {
      db.destroy('VM_metrics', metrics);
    }
    db.destroy('VM', vm);
    return await Promise.resolve('');
  });
}

function assertValid(call: Call): string {
  const obstacle = findObstacle(call.pool, call.text(0), call.text(1));
  if (obstacle !== undefined) {
    throw obstacle;
  }
  return '';
}

function setIsATemplate(call: Call): string {
  const { pool } = call;
  const vm = call.text(0);
  const obstacle = call.flag(1) ? findObstacle(pool, vm, 'make_into_template') : undefined;
  if (obstacle !== undefined) {
    throw obstacle;
  }
  pool.db.set('VM', vm, { is_a_template: call.flag(1) });
  updateAllowed(pool, vm);
  return '';
}

/** The lowest of sixteen positions that nothing occupies. */
function freePositions(call: Call, devices: string, field: string): string[] {
  const { db } = call.pool;
  const className = devices === 'VBDs' ? 'VBD' : 'VIF';
  const used = new Set(db.list('VM', call.text(0), devices).map((ref) => db.text(className, ref, field)));
  return Array.from({ length: 16 }, (_, index) => String(index)).filter((each) => !used.has(each));
}

export const vmHandlers: Handlers = {
  'VM.create': create,
  'VM.destroy': async (call) => await destroyVm(call, call.text(0)),
  'VM.assert_operation_valid': assertValid,
  'VM.update_allowed_operations': (call) => {
    call.pool.db.get('VM', call.text(0));
    updateAllowed(call.pool, call.text(0));
    return '';
  },
  'VM.set_is_a_template': setIsATemplate,
  'VM.get_allowed_VBD_devices': (call) => freePositions(call, 'VBDs', 'userdevice'),
  'VM.get_allowed_VIF_devices': (call) => freePositions(call, 'VIFs', 'device'),
  'VM.set_bios_strings': (call) => {
    const { db } = call.pool;
    if (Object.keys(db.map('VM', call.text(0), 'bios_strings')).length > 0) {
      throw new XapiError('VM_BIOS_STRINGS_ALREADY_SET', []);
    }
    db.set('VM', call.text(0), { bios_strings: call.map(1) });
    return '';
  },
};
