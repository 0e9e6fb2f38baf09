import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JsonClient } from './json-client.ts';
import { SpecSimulator } from '../../src/xen/spec-simulator.ts';

let pools: SpecSimulator;
let client: JsonClient;

beforeAll(async () => {
  pools = await SpecSimulator.start('--detach-delay', '0', '--busy-wait', '20');
  client = await JsonClient.login(pools.pool('alpha'));
});

afterAll(async () => {
  await pools.stop();
});

const powerState = async (vm: string): Promise<string> => await client.call('VM.get_power_state', vm);

describe('the life of a VM', () => {
  it('goes through its power states, with its disks', async () => {
    const vm = await pools.makeVm({ disks: [{ sizeBytes: 2 << 20 }] });
    const attached = async (): Promise<boolean> => {
      const [vbd] = await client.call<string[]>('VM.get_VBDs', vm.ref);
      return await client.call('VBD.get_currently_attached', vbd);
    };
    const seen = [await powerState(vm.ref), await attached()];
    for (const [method, ...args] of [
      ['VM.pause'],
      ['VM.unpause'],
      ['VM.suspend'],
      ['VM.resume', false, false],
      ['VM.clean_shutdown'],
      ['VM.start', true, false],
    ] as const) {
      await client.call(method, vm.ref, ...args);
      seen.push(await powerState(vm.ref), await attached());
    }
    expect(seen.join(' ')).toBe(
      'Running true Paused true Running true Suspended false Running true Halted false Paused true',
    );
    await client.call('VM.hard_shutdown', vm.ref);
    await client.call('VM.destroy', vm.ref);
    expect(await client.call('VDI.get_VBDs', vm.disks[0]?.ref)).toStrictEqual([]);
  });

  it('says what it may do, and keeps to it', async () => {
    const vm = await pools.makeVm({ disks: [] });
    const allowed = async (): Promise<string[]> => await client.call('VM.get_allowed_operations', vm.ref);
    expect(await allowed()).toStrictEqual(expect.arrayContaining(['snapshot', 'pause', 'clean_shutdown']));
    expect(await allowed()).not.toContain('start');
    expect(await client.failure('VM.start', vm.ref, false, false)).toStrictEqual([
      'VM_BAD_POWER_STATE',
      vm.ref,
      'halted',
      'running',
    ]);
    await client.call('VM.add_to_blocked_operations', vm.ref, 'pause', 'because');
    expect(await allowed()).toContain('pause');
    await client.call('VM.update_allowed_operations', vm.ref);
    expect(await allowed()).not.toContain('pause');
    expect(await client.failure('VM.pause', vm.ref)).toStrictEqual(['OPERATION_BLOCKED', vm.ref, 'because']);
  });

  it('waits for a VM that is busy, then says with what', async () => {
    const vm = await pools.makeVm({ disks: [] });
    const match = { kind: 'operation', method: 'VM.snapshot' };
    const snapshot = await pools.hold(match);
    const task = await client.call<string>('Async.VM.snapshot', vm.ref, 'slow');
    await snapshot.reached();
    expect(await client.failure('VM.clean_shutdown', vm.ref)).toStrictEqual([
      'OTHER_OPERATION_IN_PROGRESS',
      'VM',
      vm.ref,
      'snapshot',
      task,
    ]);
    await client.call('VM.hard_shutdown', vm.ref);
    expect(await powerState(vm.ref)).toBe('Halted');
    await snapshot.letGo();
  });

  it('makes snapshots that are templates and keep their addresses, without the disks to be left out', async () => {
    const vm = await pools.makeVm({ disks: [{ sizeBytes: 2 << 20 }, { sizeBytes: 2 << 20 }] });
    const snapshot = await client.call<string>('VM.snapshot', vm.ref, 'one disk', [vm.disks[1]?.ref]);
    const record = await client.call<Record<string, unknown>>('VM.get_record', snapshot);
    expect(record).toMatchObject({
      name_label: 'one disk',
      power_state: 'Halted',
      is_a_template: true,
      is_a_snapshot: true,
      snapshot_of: vm.ref,
      blocked_operations: {},
      snapshot_info: { 'power-state-at-snapshot': 'Running', 'disk-snapshot-type': 'Crash_consistent' },
    });
    expect(record['VBDs']).toHaveLength(1);
    const [vif] = record['VIFs'] as string[];
    expect(await client.call('VIF.get_MAC', vif)).toBe(vm.macs[0]);
    expect(await client.call('VM.get_parent', vm.ref)).toBe(snapshot);
    expect(await client.call('VM.get_snapshots', vm.ref)).toStrictEqual([snapshot]);
  });

  it('makes clones with a life and addresses of their own', async () => {
    const vm = await pools.makeVm({ disks: [{ sizeBytes: 2 << 20 }], powerState: 'Halted' });
    const clone = await client.call<string>('VM.clone', vm.ref, 'clone');
    const [vif] = await client.call<string[]>('VM.get_VIFs', clone);
    expect(await client.call('VIF.get_MAC', vif)).not.toBe(vm.macs[0]);
    await client.call('VM.start', clone, false, false);
    expect(await powerState(clone)).toBe('Running');
  });

  it('starts from nothing but a record', async () => {
    const template = await pools.makeVm({ disks: [], powerState: 'Halted' });
    const record = await client.call<Record<string, unknown>>('VM.get_record', template.ref);
    const blocked = { ...record, blocked_operations: { start: 'no' } };
    const made = await client.call<string>('VM.create', blocked);
    expect(await client.call('VM.get_blocked_operations', made)).toStrictEqual({});
    expect(await client.call('VM.get_uuid', made)).not.toBe(record['uuid']);
    const { platform: _missing, ...incomplete } = record;
    expect(await client.failure('VM.create', incomplete)).toStrictEqual([
      'INTERNAL_ERROR',
      'Server_helpers.Dispatcher_FieldNotFound("platform")',
    ]);
    expect(await powerState(made)).toBe('Halted');
  });

  it('keeps the last two hundred tasks', async () => {
    const [first] = await Promise.all(
      Array.from({ length: 5 }, async () => await client.call<string>('task.create', 'x', '')),
    );
    for (const task of await client.call<string[]>('task.get_all')) {
      await client.call('task.set_status', task, 'success');
    }
    for (let count = 0; count < 200; count += 1) {
      await client.call('task.create', String(count), '');
    }
    expect((await client.failure('task.get_status', first))[0]).toBe('HANDLE_INVALID');
  });
});
