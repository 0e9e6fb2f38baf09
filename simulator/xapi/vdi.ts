import { NULL_REF } from '../model/values.ts';
import type { Call, Handlers } from '../rpc/call.ts';
import { XapiError, storageError } from '../xapi-error.ts';
import { copyDisk, createDisk, removeDisk } from './disks.ts';
import { nbdInfo } from './nbd-info.ts';
import { constructorFields } from './record-fields.ts';
import { refreshSpace } from './sr.ts';
import { assertVdi, withVdiOperation } from './vdi-rules.ts';

async function copy(call: Call, kind: 'snapshot' | 'clone'): Promise<string> {
  const { pool } = call;
  const vdi = call.text(0);
  if (kind === 'snapshot' && pool.db.flag('VDI', vdi, 'is_a_snapshot')) {
    throw new XapiError('OPERATION_NOT_ALLOWED', [`VDI is a snapshot: ${vdi}`]);
  }
  return await withVdiOperation(call, vdi, kind, async () => copyDisk(pool, vdi, kind));
}

async function destroy(call: Call): Promise<string> {
  const vdi = call.text(0);
  await withVdiOperation(call, vdi, 'destroy', async () => {
    await removeDisk(call.pool, vdi);
  });
  return '';
}

/** Disks only grow. */
function resize(call: Call): string {
  const { pool } = call;
  const vdi = call.text(0);
  assertVdi(pool, vdi, 'resize');
  const volume = pool.volumeOf(vdi);
  if (call.number(1) < volume.sizeBytes) {
    throw storageError(79, 'VDI Invalid size [opterr=shrinking not allowed]');
  }
  volume.sizeBytes = call.number(1);
  pool.db.set('VDI', vdi, { virtual_size: volume.sizeBytes });
  const repository = pool.repositoryOf(vdi);
  repository.tracking.resize(pool.db.text('VDI', vdi, 'uuid'), volume.sizeBytes);
  refreshSpace(pool, pool.db.text('VDI', vdi, 'SR'));
  return '';
}

export const vdiHandlers: Handlers = {
  'VDI.create': (call) => createDisk(call.pool, constructorFields(call, 'VDI')),
  'VDI.snapshot': async (call) => await copy(call, 'snapshot'),
  'VDI.clone': async (call) => await copy(call, 'clone'),
  'VDI.destroy': destroy,
  'VDI.resize': resize,
  'VDI.resize_online': resize,
  'VDI.get_nbd_info': (call) => nbdInfo(call.pool, call.text(0), call.session),
  'VDI.update': (call) => {
    refreshSpace(call.pool, call.pool.db.text('VDI', call.text(0), 'SR'));
    return '';
  },
  'VDI.forget': (call) => {
    assertVdi(call.pool, call.text(0), 'forget');
    call.pool.db.set('VDI', call.text(0), { snapshot_of: NULL_REF });
    call.pool.db.destroy('VDI', call.text(0));
    return '';
  },
};
