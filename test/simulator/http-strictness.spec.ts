import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JsonClient, post } from './json-client.ts';
import type { SimulatedVm } from '../../src/xen/spec-simulated.ts';
import { SpecSimulator } from '../../src/xen/spec-simulator.ts';

const MIB = 1 << 20;

let pools: SpecSimulator;
let client: JsonClient;
let vm: SimulatedVm;

beforeAll(async () => {
  pools = await SpecSimulator.start('--detach-delay', '0');
  client = await JsonClient.login(pools.pool('alpha'));
  vm = await pools.makeVm({ disks: [{ sizeBytes: 4 * MIB }] });
});

afterAll(async () => {
  await pools.stop();
});

async function statusOf(head: string): Promise<string> {
  return (await client.exchange(head)).toString('latin1').split('\r\n')[0] ?? '';
}

async function newDisk(sr = 'NFS virtual disk storage'): Promise<string> {
  const [SR] = await client.call<string[]>('SR.get_by_name_label', sr);
  const record = { SR, virtual_size: 4 * MIB, type: 'user', sharable: false, read_only: false, other_config: {} };
  return await client.call('VDI.create', record);
}

/** An upload by hand: what came back, and what became of its task. */
async function upload(
  vdi: string,
  query: string,
  headers: string,
  body: Buffer,
): Promise<{ readonly answer: string; readonly status: string; readonly error: readonly string[] }> {
  const task = await client.call<string>('task.create', 'upload', '');
  const target = `/import_raw_vdi?session_id=${client.session}&task_id=${task}&vdi=${vdi}${query}`;
  const answer = await client.exchange(`PUT ${target} HTTP/1.1\r\nhost: x\r\n${headers}\r\n`, body);
  return {
    answer: answer.toString('latin1').split('\r\n')[0] ?? '',
    status: await client.call('task.get_status', task),
    error: await client.call('task.get_error_info', task),
  };
}

function chunk(offset: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeBigInt64LE(BigInt(offset));
  head.writeInt32LE(data.length, 8);
  return Buffer.concat([head, data]);
}

describe('the web server', () => {
  it.each([
    ['an unknown path', 'GET /nothing HTTP/1.1\r\n\r\n', 'HTTP/1.1 403 Forbidden'],
    ['an unknown method', 'BREW / HTTP/1.1\r\n\r\n', 'HTTP/1.1 501 Method Not Implemented'],
    ['no HTTP', 'hello\r\n\r\n', 'HTTP/1.1 400 Bad Request'],
    [
      'more than 1024 bytes of headers',
      `GET / HTTP/1.1\r\nx: ${'a'.repeat(1024)}\r\n\r\n`,
      'HTTP/1.1 431 Request Header Fields Too Large',
    ],
    ['a data handler without a session', 'GET /export_raw_vdi?vdi=x HTTP/1.1\r\n\r\n', 'HTTP/1.1 401 Unauthorised'],
  ])('refuses %s', async (_, head, status) => {
    expect(await statusOf(head)).toBe(status);
  });

  it('takes a longer path than a handler’s own', async () => {
    expect(await statusOf('GET /export_raw_vdi/x?vdi=x HTTP/1.1\r\n\r\n')).toBe('HTTP/1.1 401 Unauthorised');
  });

  it('refuses calls over 300 KiB', async () => {
    const response = await post(client.url, '/jsonrpc', 'x'.repeat(300 * 1024 + 1));
    expect([response.statusCode, response.statusMessage]).toStrictEqual([500, 'Internal Error']);
    expect(await text(response)).toContain('Client_requested_size_over_limit');
  });

  it('answers several calls on one connection', async () => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'VM.get_all', params: [client.session] });
    const request = (connection: string): string =>
      `POST /jsonrpc HTTP/1.1\r\nconnection: ${connection}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    const answers = (await client.exchange(request('keep-alive') + request('close'))).toString('latin1');
    expect(answers.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  });
});

describe('uploads', () => {
  it('takes chunks at any place, and leaves zeros between them', async () => {
    const vdi = await newDisk();
    const data = Buffer.alloc(70_000, 9);
    const body = Buffer.concat([chunk(3 * MIB, data), chunk(0, data), chunk(0, Buffer.alloc(0))]);
    const { answer, status } = await upload(vdi, '&format=raw&chunked', '', body);
    expect([answer, status]).toStrictEqual(['HTTP/1.1 200 OK', 'success']);
    const expected = Buffer.alloc(4 * MIB);
    data.copy(expected, 0);
    data.copy(expected, 3 * MIB);
    const uuid = await client.call<string>('VDI.get_uuid', vdi);
    expect((await pools.content(uuid, 0, 4 * MIB)).equals(expected)).toBe(true);
  });

  it('fails the task, after its 200, where the body is cut', async () => {
    const task = await client.call<string>('task.create', 'upload', '');
    const target = `/import_raw_vdi?session_id=${client.session}&task_id=${task}&vdi=${await newDisk()}`;
    const head = `PUT ${target} HTTP/1.1\r\ncontent-length: ${2 * MIB}\r\n\r\n`;
    const answer = (await client.exchange(head, Buffer.alloc(MIB), true)).toString('latin1').split('\r\n')[0];
    let status = 'pending';
    while (status === 'pending') {
      status = await client.call('task.get_status', task);
    }
    const error = await client.call<string[]>('task.get_error_info', task);
    expect(answer).toBe('HTTP/1.1 200 OK');
    expect([status, ...error]).toStrictEqual(['failure', 'VDI_IO_ERROR', 'Device I/O errors']);
  });

  it('fails the task where a chunk lies beyond the disk', async () => {
    const { answer, error } = await upload(await newDisk(), '&chunked', '', chunk(4 * MIB, Buffer.alloc(512)));
    expect(answer).toBe('HTTP/1.1 200 OK');
    expect(error).toStrictEqual(['VDI_IO_ERROR', 'Device I/O errors']);
  });

  it('knows no transfer encoding', async () => {
    const { answer, error } = await upload(await newDisk(), '', 'transfer-encoding: chunked\r\n', Buffer.alloc(0));
    expect(answer).toBe('HTTP/1.1 404 Not Found');
    expect(error).toStrictEqual(['INTERNAL_ERROR', 'Cannot handle encoding: chunked']);
  });

  it('refuses a disk that a guest has', async () => {
    const { answer, error } = await upload(vm.disks[0]?.ref ?? '', '&chunked', '', chunk(0, Buffer.alloc(0)));
    expect(answer).toBe('HTTP/1.1 200 OK');
    expect(error[0]).toBe('VDI_IN_USE');
  });

  it('sends the client to the host that sees the disk, by its bare address, and leaves the task alone', async () => {
    const vdi = await newDisk('Local storage on alpha-2');
    const task = await client.call<string>('task.create', 'upload', '');
    const target = `/import_raw_vdi?session_id=${client.session}&task_id=${task}&vdi=${vdi}&format=raw`;
    const answer = (await client.exchange(`PUT ${target} HTTP/1.1\r\n\r\n`)).toString('latin1');
    expect(answer).toMatch(/^HTTP\/1\.1 302 Found\r\n/);
    expect(answer).toMatch(/\r\nlocation: https:\/\/127\.0\.0\.3\/import_raw_vdi\?/);
    expect(await client.call('task.get_status', task)).toBe('pending');
  });
});

describe('sessions', () => {
  it('sends clients of a member to the coordinator before it looks at the password', async () => {
    const member = new JsonClient(pools.pool('alpha').hosts[1] ?? '');
    await expect(member.raw('session.login_with_password', 'root', 'wrong')).rejects.toThrow('HOST_IS_SLAVE 127.0.0.2');
    member.session = client.session;
    expect(await member.failure('VM.get_all')).toStrictEqual(['HOST_IS_SLAVE', '127.0.0.2']);
  });

  it('knows no session of another pool', async () => {
    const other = new JsonClient(pools.pool('beta').url);
    other.session = client.session;
    expect(await other.failure('VM.get_all')).toStrictEqual(['SESSION_INVALID', client.session]);
  });

  it('keeps users to their role', async () => {
    await pools.post('/pools/alpha/users', { name: 'watcher', password: 'x', role: 'vm-admin' });
    const watcher = await JsonClient.login({ ...pools.pool('alpha'), username: 'watcher', password: 'x' });
    expect((await watcher.failure('VM.snapshot', vm.ref, 'x'))[0]).toBe('RBAC_PERMISSION_DENIED');
    expect(await watcher.call('VM.get_power_state', vm.ref)).toBe('Running');
  });
});

describe('calls', () => {
  it('has every message of the data model, implemented or not', async () => {
    expect(await client.failure('VM.migrate_send', vm.ref, {}, true, {}, {}, {}, {}, {})).toStrictEqual([
      'NOT_IMPLEMENTED',
      'VM.migrate_send',
    ]);
    const methods = await client.raw<string[]>('system.listMethods');
    expect(methods.length).toBeGreaterThan(2000);
  });

  it('runs no session, event or task in the background', async () => {
    expect((await client.failure('Async.task.create', 'x', ''))[0]).toBe('Fault');
  });

  it('refuses arguments of another type or number', async () => {
    expect(await client.failure('VM.set_name_label', vm.ref, 7)).toStrictEqual(['FIELD_TYPE_ERROR', 'value']);
    expect(await client.failure('event.from', ['vm'])).toStrictEqual([
      'MESSAGE_PARAMETER_COUNT_MISMATCH',
      'event.from',
      '3',
      '1',
    ]);
  });

  it('refuses classes and tokens of events that are none', async () => {
    expect((await client.failure('event.from', ['nothing'], '', 0))[0]).toBe('EVENT_SUBSCRIPTION_PARSE_FAILURE');
    expect((await client.failure('event.from', ['vm'], 'x', 0))[0]).toBe('EVENT_FROM_TOKEN_PARSE_FAILURE');
  });

  it('announces what a background call did, then its task', async () => {
    const { token } = await client.call<{ token: string }>('event.from', ['task'], '', 0);
    const task = await client.call<string>('Async.VM.pause', vm.ref);
    let status = 'pending';
    let seen = token;
    while (status === 'pending') {
      const batch: { token: string; events: { snapshot?: { status: string } }[] } = await client.call(
        'event.from',
        [`task/${task}`],
        seen,
        5,
      );
      seen = batch.token;
      status = batch.events.at(-1)?.snapshot?.status ?? status;
    }
    expect([status, await client.call('VM.get_power_state', vm.ref)]).toStrictEqual(['success', 'Paused']);
    await client.call('VM.unpause', vm.ref);
  });

  it('makes addresses from the seed for interfaces without one', async () => {
    const [network] = await client.call<string[]>('network.get_all');
    const interfaceOf = (device: string, MAC: string): object => ({
      VM: vm.ref,
      network,
      device,
      MAC,
      MTU: 1500,
      other_config: {},
      qos_algorithm_type: '',
      qos_algorithm_params: {},
    });
    const vif = await client.call<string>('VIF.create', interfaceOf('5', ''));
    expect(await client.call('VIF.get_MAC', vif)).toMatch(/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/);
    expect(await client.failure('VIF.create', interfaceOf('5', ''))).toStrictEqual(['DEVICE_ALREADY_EXISTS', '5']);
    await client.call('VIF.destroy', vif);
  });
});
