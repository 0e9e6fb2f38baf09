import { NULL_REF, asText } from '../model/values.ts';
import type { Pool } from '../pool/pool.ts';
import type { Call, Handlers } from '../rpc/call.ts';
import { XapiError } from '../xapi-error.ts';
import { constructorFields } from './record-fields.ts';
import { assertVdi } from './vdi-rules.ts';

function freeDevice(pool: Pool, vm: string): string {
  const used = new Set(pool.db.list('VM', vm, 'VBDs').map((vbd) => pool.db.text('VBD', vbd, 'userdevice')));
  let device = 0;
  while (used.has(String(device))) {
    device += 1;
  }
  return String(device);
}

function create(call: Call): string {
  const { pool } = call;
  const fields = constructorFields(call, 'VBD');
  const [vm, vdi] = [asText(fields['VM']), asText(fields['VDI'])];
  const empty = fields['empty'] === true;
  pool.db.get('VM', vm);
  if (!empty) {
    pool.db.get('VDI', vdi);
    assertVdi(pool, vdi, 'attach');
  }
  if (empty && fields['type'] !== 'CD' && fields['type'] !== 'Floppy') {
    throw new XapiError('VBD_NOT_REMOVABLE_MEDIA', [NULL_REF]);
  }
  const asked = asText(fields['userdevice']);
  const userdevice = asked === 'autodetect' || asked === '' ? freeDevice(pool, vm) : asked;
  if (pool.db.list('VM', vm, 'VBDs').some((vbd) => pool.db.text('VBD', vbd, 'userdevice') === userdevice)) {
    throw new XapiError('DEVICE_ALREADY_EXISTS', [userdevice]);
  }
  return pool.db.create('VBD', {
    ...fields,
    VDI: empty ? NULL_REF : vdi,
    userdevice,
    currently_attached: false,
    allowed_operations: ['attach', 'plug', 'unplug'],
  });
}

function plug(call: Call): string {
  const { pool } = call;
  const vbd = call.text(0);
  const vdi = pool.db.text('VBD', vbd, 'VDI');
  const others = pool.db.list('VDI', vdi, 'VBDs').filter((each) => each !== vbd);
  const conflicting = others.some(
    (each) =>
      pool.db.flag('VBD', each, 'currently_attached') &&
      (pool.db.text('VBD', each, 'mode') === 'RW' || pool.db.text('VBD', vbd, 'mode') === 'RW'),
  );
  if (conflicting) {
    throw new XapiError('VDI_IN_USE', [vdi, 'attach']);
  }
  pool.db.set('VBD', vbd, { currently_attached: true });
  return '';
}

function unplug(call: Call): string {
  if (!call.pool.db.flag('VBD', call.text(0), 'currently_attached')) {
    throw new XapiError('DEVICE_ALREADY_DETACHED', [call.text(0)]);
  }
  call.pool.db.set('VBD', call.text(0), { currently_attached: false });
  return '';
}

export const vbdHandlers: Handlers = {
  'VBD.create': create,
  'VBD.destroy': (call) => {
    if (call.pool.db.flag('VBD', call.text(0), 'currently_attached')) {
      throw new XapiError('OPERATION_NOT_ALLOWED', [`VBD '${call.text(0)}' still attached`]);
    }
    call.pool.db.destroy('VBD', call.text(0));
    return '';
  },
  'VBD.plug': plug,
  'VBD.unplug': unplug,
  'VBD.unplug_force': unplug,
};
