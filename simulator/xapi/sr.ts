import type { Pool } from '../pool/pool.ts';
import { refreshBaseCopies } from './base-copies.ts';
import type { Handlers } from '../rpc/call.ts';

/** Puts the space that disks really use into the SR's and the disks' records. */
export function refreshSpace(pool: Pool, sr: string): void {
  const { db } = pool;
  const repository = pool.repositories.get(sr);
  if (repository === undefined) {
    return;
  }
  refreshBaseCopies(pool, sr);
  const disks = db.list('SR', sr, 'VDIs').filter((vdi) => db.flag('VDI', vdi, 'managed'));
  const allocated = disks.reduce((sum, vdi) => sum + db.number('VDI', vdi, 'virtual_size'), 0);
  db.set('SR', sr, {
    physical_size: repository.store.capacity,
    physical_utilisation: repository.store.used,
    virtual_allocation: allocated,
  });
  for (const vdi of disks) {
    const used = pool.volumes.get(vdi)?.top.usedBytes ?? 0;
    if (db.number('VDI', vdi, 'physical_utilisation') !== used) {
      db.set('VDI', vdi, { physical_utilisation: used });
    }
  }
}

export const srHandlers: Handlers = {
  'SR.scan': (call) => {
    call.pool.db.get('SR', call.text(0));
    refreshSpace(call.pool, call.text(0));
    return '';
  },
  'SR.update': (call) => {
    call.pool.db.get('SR', call.text(0));
    refreshSpace(call.pool, call.text(0));
    return '';
  },
};
