import { X509Certificate } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { JsonClient } from './json-client.ts';
import { NbdByHand, type NbdInfo } from './nbd-by-hand.ts';
import type { SimulatedVm } from '../../src/xen/spec-simulated.ts';
import { SpecSimulator } from '../../src/xen/spec-simulator.ts';

const MIB = 1 << 20;

let pools: SpecSimulator;
let client: JsonClient;
let vm: SimulatedVm;

beforeAll(async () => {
  pools = await SpecSimulator.start('--detach-delay', '0', '--merge-delay', '86400000');
  client = await JsonClient.login(pools.pool('alpha'));
  vm = await pools.makeVm({ disks: [{ sizeBytes: 4 * MIB }, { sizeBytes: 2 * MIB }] });
});

afterEach(async () => {
  await pools.delete('/faults');
});

afterAll(async () => {
  await pools.stop();
});

async function order(match: object, action: object, more: object = {}): Promise<void> {
  await pools.post('/faults', { match, action, ...more });
}

/** An NBD connection to a fresh snapshot, in transmission. */
async function openNbd(): Promise<NbdByHand> {
  const snapshot = await client.call<string>('VDI.snapshot', vm.disks[0]?.ref);
  const [info] = await client.call<[NbdInfo]>('VDI.get_nbd_info', snapshot);
  const connection = await NbdByHand.open(info);
  await connection.startTls();
  await connection.enter();
  return connection;
}

describe('ordered faults', () => {
  it('fail the n-th call of a method and no other', async () => {
    const error = ['SR_BACKEND_FAILURE_44', '', 'There is insufficient space', ''];
    await order({ kind: 'rpc', method: 'VM.get_power_state' }, { error }, { nth: 2 });
    expect(await client.call('VM.get_power_state', vm.ref)).toBe('Running');
    expect(await client.failure('VM.get_power_state', vm.ref)).toStrictEqual(error);
    expect(await client.call('VM.get_power_state', vm.ref)).toBe('Running');
  });

  it('reach background calls through their task', async () => {
    await order({ kind: 'rpc', method: 'VM.snapshot' }, { error: ['VM_BAD_POWER_STATE', 'x'] });
    const task = await client.call<string>('Async.VM.snapshot', vm.ref, 'x');
    let status = 'pending';
    while (status === 'pending') {
      status = await client.call('task.get_status', task);
    }
    expect(await client.call('task.get_error_info', task)).toStrictEqual(['VM_BAD_POWER_STATE', 'x']);
  });

  it('lose the answer to a call that ran', async () => {
    await order({ kind: 'rpc-answer' }, { cutAfterBytes: 20 });
    await expect(client.call('VM.set_name_label', vm.ref, 'renamed')).rejects.toThrow(/socket|hang|aborted/i);
    expect(await client.call('VM.get_name_label', vm.ref)).toBe('renamed');
  });

  it('cut an NBD session in the middle of a reply', async () => {
    await order({ kind: 'nbd-read' }, { cutAfterBytes: 1000 }, { nth: 2 });
    const connection = await openNbd();
    connection.sendRequest(0, 0, 512);
    expect((await connection.reply()).error).toBe(0);
    await connection.read(512);
    connection.sendRequest(0, 0, MIB);
    await connection.reply();
    expect(await connection.tryRead(MIB)).toBeUndefined();
    const reads = await pools.get<object[]>('/log?type=nbd-read');
    expect(reads.length).toBeGreaterThan(0);
  });

  it('hold a read until they are cleared', async () => {
    const before = await pools.lastSeq();
    const held = await pools.hold({ kind: 'nbd-read' }, 2);
    const connection = await openNbd();
    connection.sendRequest(0, 0, 512);
    expect((await connection.reply()).error).toBe(0);
    await connection.read(512);
    connection.sendRequest(0, 512, 512);
    await held.reached();
    expect(await pools.log('nbd-read', before)).toHaveLength(1);
    await held.letGo();
    expect((await connection.reply()).error).toBe(0);
    connection.close();
  });

  it('answer an NBD read with an errno', async () => {
    await order({ kind: 'nbd-read' }, { nbdError: 5 });
    const connection = await openNbd();
    connection.sendRequest(0, 0, 512);
    expect((await connection.reply()).error).toBe(5);
    expect(await connection.hasEnded()).toBe(true);
  });

  it('let a VM vanish while its disk is read: never zeros instead of content', async () => {
    const doomed = await pools.makeVm({ name: 'doomed', disks: [{ sizeBytes: 2 * MIB }], powerState: 'Halted' });
    const [info] = await client.call<[NbdInfo]>('VDI.get_nbd_info', doomed.disks[0]?.ref);
    const connection = await NbdByHand.open(info);
    await connection.startTls();
    await connection.enter();
    await order({ kind: 'nbd-read' }, { vanishVm: doomed.uuid });
    connection.sendRequest(0, 0, 512);
    expect(await connection.hasEnded()).toBe(true);
    expect(await client.failure('VM.get_by_uuid', doomed.uuid)).toStrictEqual(['UUID_INVALID', 'VM', doomed.uuid]);
  });

  it('cut an upload, which fails its task', async () => {
    const [SR] = await client.call<string[]>('SR.get_by_name_label', 'NFS virtual disk storage');
    const record = { SR, virtual_size: 2 * MIB, type: 'user', sharable: false, read_only: false, other_config: {} };
    const vdi = await client.call<string>('VDI.create', record);
    const task = await client.call<string>('task.create', 'upload', '');
    await order({ kind: 'handler', handler: '/import_raw_vdi' }, { cutAfterBytes: MIB });
    const target = `/import_raw_vdi?session_id=${client.session}&task_id=${task}&vdi=${vdi}`;
    const head = `PUT ${target} HTTP/1.1\r\ncontent-length: ${2 * MIB}\r\n\r\n`;
    await client.exchange(head, Buffer.alloc(2 * MIB, 1));
    expect(await client.call('task.get_error_info', task)).toStrictEqual(['VDI_IO_ERROR', 'Device I/O errors']);
  });
});

describe('what can happen to a pool', () => {
  it('a host dies in the middle of a call, and comes back without its sessions', async () => {
    const beta = await JsonClient.login(pools.pool('beta'));
    await order({ kind: 'rpc', method: 'VM.get_all', pool: 'beta' }, { killHost: 'beta-1' });
    await expect(beta.call('VM.get_all')).rejects.toThrow(/socket|hang|aborted|ECONNRESET/i);
    await expect(beta.call('VM.get_all')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await pools.post('/hosts/beta-1/restart');
    expect(await beta.failure('VM.get_all')).toStrictEqual(['SESSION_INVALID', beta.session]);
  });

  it('survives a fault that can’t be carried out', async () => {
    await order({ kind: 'connection', pool: 'alpha' }, { vanishVm: 'nobody' });
    expect(await client.call('VM.get_by_uuid', vm.uuid)).toBe(vm.ref);
    expect(await pools.get<object[]>('/log?type=fault-error')).toHaveLength(1);
  });

  it('a full SR takes no snapshots', async () => {
    const { srs } = await pools.describePool('alpha');
    const shared = srs.find((sr) => sr.name === 'NFS virtual disk storage');
    await pools.post(`/srs/${shared?.uuid}/free`, { bytes: 0 });
    expect((await client.failure('VM.snapshot', vm.ref, 'x'))[0]).toBe('SR_BACKEND_FAILURE_44');
    await pools.post(`/srs/${shared?.uuid}/free`, { bytes: 1024 * MIB });
    await client.call('VM.snapshot', vm.ref, 'x');
  });

  it('a snapshot that fails at its second disk leaves nothing of the first', async () => {
    const before = await client.call<string[]>('VDI.get_all');
    await client.call('VDI.set_on_boot', vm.disks[1]?.ref, 'reset');
    expect((await client.failure('VM.snapshot', vm.ref, 'x'))[0]).toBe('VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION');
    await client.call('VDI.set_on_boot', vm.disks[1]?.ref, 'persist');
    const managed = async (refs: readonly string[]): Promise<string[]> => {
      const flags = await Promise.all(refs.map(async (ref) => await client.call<boolean>('VDI.get_managed', ref)));
      return refs.filter((_, index) => flags[index]);
    };
    const after = await client.call<string[]>('VDI.get_all');
    expect(await managed(after)).toStrictEqual(await managed(before.filter((ref) => after.includes(ref))));
  });

  it('a host shows another certificate', async () => {
    const { hosts } = await pools.describePool('beta');
    const beta = new JsonClient(pools.pool('beta').url);
    const shown = async (): Promise<string> => {
      const socket = await beta.open();
      const { raw } = socket.getPeerCertificate();
      socket.destroy();
      return new X509Certificate(raw).fingerprint256;
    };
    expect(await shown()).toBe(new X509Certificate(hosts[0]?.certificate ?? '').fingerprint256);
    const before = await shown();
    const answer = await pools.post<{ certificate: string }>('/hosts/beta-1/certificate');
    expect(await shown()).toBe(new X509Certificate(answer.certificate).fingerprint256);
    expect(await shown()).not.toBe(before);
  });

  it('a coordinator dies and another host takes over', async () => {
    const { hosts } = pools.pool('alpha');
    await pools.post('/hosts/alpha-1/kill');
    await expect(client.call('VM.get_all')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const survivor = await JsonClient.login({ ...pools.pool('alpha'), url: hosts[1] ?? '' }).catch(String);
    expect(survivor).toContain('HOST_IS_SLAVE 127.0.0.2');
    await pools.post('/pools/alpha/coordinator', { host: 'alpha-2' });
    const next = await JsonClient.login({ ...pools.pool('alpha'), url: hosts[1] ?? '' });
    expect(await next.call('VM.get_by_uuid', vm.uuid)).toBe(vm.ref);
    await pools.post('/hosts/alpha-1/restart');
    await expect(client.call('VM.get_all')).rejects.toThrow('HOST_IS_SLAVE 127.0.0.3');
  });
});
