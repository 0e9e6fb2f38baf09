import { NULL_REF } from '../model/values.ts';
import type { Host } from '../pool/host.ts';
import type { Pool } from '../pool/pool.ts';
import type { Call, Handlers } from '../rpc/call.ts';
import { XapiError } from '../xapi-error.ts';
import { withVmOperation } from './vm-operation.ts';

let lastDomain = 0;

/** The disks of a VM, without empty drives. */
export function disksOf(pool: Pool, vm: string): { readonly vbd: string; readonly vdi: string }[] {
  return pool.db
    .list('VM', vm, 'VBDs')
    .map((vbd) => ({ vbd, vdi: pool.db.text('VBD', vbd, 'VDI') }))
    .filter(({ vdi }) => vdi !== NULL_REF);
}

/** Puts a VM into a power state and its disks and interfaces into the state that belongs to it. */
export function setPowerState(pool: Pool, vm: string, state: string, host?: Host): void {
  const attached = state === 'Running' || state === 'Paused';
  const { db } = pool;
  for (const { vbd } of disksOf(pool, vm)) {
    db.set('VBD', vbd, { currently_attached: attached });
  }
  for (const vif of db.list('VM', vm, 'VIFs')) {
    db.set('VIF', vif, { currently_attached: attached });
  }
  if (!attached) {
    db.set('VM', vm, { power_state: state, resident_on: NULL_REF, domid: -1 });
    return;
  }
  if (db.text('VM', vm, 'resident_on') === NULL_REF && host !== undefined) {
    lastDomain += 1;
    db.set('VM', vm, { resident_on: host.ref, domid: lastDomain });
  }
  db.set('VM', vm, { power_state: state });
}

/** A host that is up and sees every disk of the VM. */
function findHost(pool: Pool, vm: string): Host {
  const srs = disksOf(pool, vm).map(({ vdi }) => pool.db.text('VDI', vdi, 'SR'));
  const affinity = pool.db.text('VM', vm, 'affinity');
  const able = pool.hosts.filter((host) => host.alive && srs.every((sr) => pool.sees(host, sr)));
  const host = able.find((each) => each.ref === affinity) ?? able[0];
  if (host === undefined) {
    throw new XapiError('NO_HOSTS_AVAILABLE', []);
  }
  return host;
}

async function start(call: Call, operation: string, paused: boolean, host?: string): Promise<string> {
  const { pool } = call;
  const vm = call.text(0);
  return await withVmOperation(call, vm, operation, async () => {
    const target = host === undefined ? findHost(pool, vm) : pool.hostByRef(host);
    assertDisksFree(pool, vm);
    setPowerState(pool, vm, paused ? 'Paused' : 'Running', target);
    return await Promise.resolve('');
  });
}

/** A disk that another domain has attached can't be attached for writing. */
function assertDisksFree(pool: Pool, vm: string): void {
  for (const { vbd, vdi } of disksOf(pool, vm)) {
    const others = pool.db.list('VDI', vdi, 'VBDs').filter((each) => each !== vbd);
    const writer = pool.db.text('VBD', vbd, 'mode') === 'RW';
    if (writer && others.some((each) => pool.db.flag('VBD', each, 'currently_attached'))) {
      throw new XapiError('VDI_IN_USE', [vdi, 'attach']);
    }
  }
}

async function change(call: Call, operation: string, state: string): Promise<string> {
  return await withVmOperation(call, call.text(0), operation, async () => {
    setPowerState(call.pool, call.text(0), state, call.host);
    return await Promise.resolve('');
  });
}

async function shutdown(call: Call): Promise<string> {
  const running = call.pool.db.text('VM', call.text(0), 'power_state') === 'Running';
  return await change(call, running ? 'clean_shutdown' : 'hard_shutdown', 'Halted');
}

export const powerHandlers: Handlers = {
  'VM.start': async (call) => await start(call, 'start', call.flag(1)),
  'VM.start_on': async (call) => await start(call, 'start_on', call.flag(2), call.text(1)),
  'VM.resume': async (call) => await start(call, 'resume', call.flag(1)),
  'VM.clean_shutdown': async (call) => await change(call, 'clean_shutdown', 'Halted'),
  'VM.hard_shutdown': async (call) => await change(call, 'hard_shutdown', 'Halted'),
  'VM.shutdown': shutdown,
  'VM.clean_reboot': async (call) => await change(call, 'clean_reboot', 'Running'),
  'VM.hard_reboot': async (call) => await change(call, 'hard_reboot', 'Running'),
  'VM.pause': async (call) => await change(call, 'pause', 'Paused'),
  'VM.unpause': async (call) => await change(call, 'unpause', 'Running'),
  'VM.suspend': async (call) => await change(call, 'suspend', 'Suspended'),
};
