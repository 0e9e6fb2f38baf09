import type { Pool } from '../pool/pool.ts';
import { removeDisk } from '../xapi/disks.ts';
import { updateAllowed } from '../xapi/vm-lifecycle.ts';
import { disksOf, setPowerState } from '../xapi/vm-power.ts';
import { ControlError, findHost, findObject, findPool } from './control-request.ts';
import type { ControlRoutes } from './control-server.ts';
import { type VmOrder, createVm } from './create-vm.ts';

const STATES = new Set(['Running', 'Halted', 'Paused', 'Suspended']);

function describeVm(pool: Pool, vm: string): object {
  const { db } = pool;
  return {
    pool: pool.name,
    uuid: db.text('VM', vm, 'uuid'),
    ref: vm,
    name: db.text('VM', vm, 'name_label'),
    powerState: db.text('VM', vm, 'power_state'),
    isSnapshot: db.flag('VM', vm, 'is_a_snapshot'),
    disks: disksOf(pool, vm).map(({ vbd, vdi }) => ({
      uuid: db.text('VDI', vdi, 'uuid'),
      ref: vdi,
      device: db.text('VBD', vbd, 'userdevice'),
      sizeBytes: db.number('VDI', vdi, 'virtual_size'),
    })),
    macs: db.list('VM', vm, 'VIFs').map((vif) => db.text('VIF', vif, 'MAC')),
  };
}

/** Removes a VM with its disks at once, whatever it is doing, as an administrator with a heavy hand would. */
export async function vanish(pool: Pool, vm: string): Promise<void> {
  const { db } = pool;
  for (const { vdi } of disksOf(pool, vm)) {
    await removeDisk(pool, vdi);
  }
  for (const vif of db.list('VM', vm, 'VIFs')) {
    db.destroy('VIF', vif);
  }
  db.destroy('VM', vm);
}

export const vmRoutes: ControlRoutes = {
  'GET /vms': ({ simulator }) =>
    simulator.pools.flatMap((pool) =>
      pool.db
        .rows('VM')
        .filter(([, row]) => row['is_control_domain'] !== true)
        .map(([vm]) => describeVm(pool, vm)),
    ),
  'GET /vms/:uuid': ({ simulator, path }) => {
    const { pool, ref } = findObject(simulator, 'VM', path['uuid']);
    return describeVm(pool, ref);
  },
  'POST /vms': async ({ simulator, body }) => {
    const pool = findPool(simulator, body['pool']);
    return describeVm(pool, await createVm(pool, body as unknown as VmOrder));
  },
  'DELETE /vms/:uuid': async ({ simulator, path }) => {
    const { pool, ref } = findObject(simulator, 'VM', path['uuid']);
    await vanish(pool, ref);
  },
  'POST /vms/:uuid/power': ({ simulator, path, body }) => {
    const { pool, ref } = findObject(simulator, 'VM', path['uuid']);
    const state = String(body['state']);
    if (!STATES.has(state)) {
      throw new ControlError(400, `state must be one of ${[...STATES].join(', ')}`);
    }
    const host = body['host'] === undefined ? pool.coordinator : findHost(simulator, body['host']).host;
    setPowerState(pool, ref, state, host);
    updateAllowed(pool, ref);
    return describeVm(pool, ref);
  },
};
