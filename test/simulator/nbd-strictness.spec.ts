import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JsonClient } from './json-client.ts';
import { NbdByHand, type NbdInfo, OPTION, REPLY } from './nbd-by-hand.ts';
import { SpecSimulator } from '../../src/xen/spec-simulator.ts';

const MIB = 1 << 20;

let pools: SpecSimulator;
let client: JsonClient;
let disk: string;
let info: NbdInfo;

async function setPurpose(...purposes: readonly string[]): Promise<void> {
  const [network] = await client.call<string[]>('network.get_all');
  for (const purpose of ['nbd', 'insecure_nbd']) {
    await client.call('network.remove_purpose', network, purpose);
  }
  for (const purpose of purposes) {
    await client.call('network.add_purpose', network, purpose);
  }
}

beforeAll(async () => {
  pools = await SpecSimulator.start('--detach-delay', '0');
  client = await JsonClient.login(pools.pool('alpha'));
  const vm = await pools.makeVm({ disks: [{ sizeBytes: 4 * MIB }] });
  const order = { offset: 0, length: 4 * MIB, randomSeed: 'x' };
  await pools.post(`/vdis/${vm.disks[0]?.uuid}/write`, order);
  disk = await client.call('VDI.snapshot', vm.disks[0]?.ref);
  [info] = await client.call<[NbdInfo]>('VDI.get_nbd_info', disk);
});

afterAll(async () => {
  await pools.stop();
});

describe('NBD where TLS is demanded', () => {
  beforeEach(async () => {
    await setPurpose('nbd');
  });

  it('answers every option but STARTTLS with TLS_REQD, and hangs up on a name in the clear', async () => {
    const connection = await NbdByHand.open(info);
    expect(await connection.option(OPTION.list)).toBe(REPLY.tlsRequired);
    expect(await connection.option(OPTION.go)).toBe(REPLY.tlsRequired);
    expect(await connection.enter()).toBeUndefined();
  });

  it('speaks TLS with the host’s certificate, then no option but EXPORT_NAME', async () => {
    const connection = await NbdByHand.open(info);
    await connection.startTls();
    expect(await connection.option(OPTION.startTls)).toBe(REPLY.invalid);
    expect(await connection.option(OPTION.list)).toBe(REPLY.policy);
    expect(await connection.option(OPTION.go)).toBe(REPLY.unsupported);
    expect(await connection.option(OPTION.structuredReply)).toBe(REPLY.unsupported);
    expect(await connection.enter()).toStrictEqual({ size: BigInt(4 * MIB), flags: 3 });
    connection.close();
  });

  it('hangs up on unknown disks and sessions', async () => {
    for (const name of ['/nothing', info.exportname.replace(/session_id=.*/, 'session_id=OpaqueRef:x')]) {
      const connection = await NbdByHand.open(info);
      await connection.startTls();
      expect(await connection.enter(name)).toBeUndefined();
    }
  });
});

describe('NBD where it is plain', () => {
  beforeEach(async () => {
    await setPurpose('insecure_nbd');
  });

  it('has no TLS', async () => {
    const connection = await NbdByHand.open(info);
    expect(await connection.option(OPTION.startTls)).toBe(REPLY.policy);
    connection.close();
  });

  it('answers pipelined reads in their order', async () => {
    const connection = await NbdByHand.open(info);
    await connection.enter();
    for (const offset of [512, 2 * MIB, 0]) {
      connection.sendRequest(0, offset, MIB);
    }
    const uuid = await client.call<string>('VDI.get_uuid', disk);
    for (const offset of [512, 2 * MIB, 0]) {
      expect(await connection.reply()).toStrictEqual({ error: 0, handle: BigInt(offset) + 77n });
      const expected = await pools.content(uuid, offset, MIB);
      expect((await connection.read(MIB)).equals(expected)).toBe(true);
    }
    connection.close();
  });

  it.each([
    ['an offset between sectors', 0, 1, 512, 22],
    ['a length between sectors', 0, 0, 513, 22],
    ['a read beyond the end', 0, 4 * MIB - 512, 1024, 22],
    ['a write', 1, 0, 512, 1],
    ['an unknown command', 9, 0, 512, 22],
  ])('ends the session after %s', async (_, command, offset, length, error) => {
    const connection = await NbdByHand.open(info);
    await connection.enter();
    connection.sendRequest(command, offset, length);
    expect((await connection.reply()).error).toBe(error);
    expect(await connection.hasEnded()).toBe(true);
  });

  it('keeps the disk in use while it is open', async () => {
    const connection = await NbdByHand.open(info);
    await connection.enter();
    expect(await client.failure('VDI.destroy', disk)).toStrictEqual(['VDI_IN_USE', disk, 'destroy']);
    connection.sendRequest(2, 0, 0);
    expect(await connection.hasEnded()).toBe(true);
  });

  it('takes sixteen connections a host and closes the next', async () => {
    const open: NbdByHand[] = [];
    for (let count = 0; count < 16; count += 1) {
      open.push(await NbdByHand.open(info));
    }
    const next = NbdByHand.dial(info);
    expect(await next.tryRead(18)).toBeUndefined();
    open.forEach((connection) => connection.close());
  });
});

describe('NBD where no network is for it', () => {
  it('has no addresses and takes no connections', async () => {
    await setPurpose();
    expect(await client.call('VDI.get_nbd_info', disk)).toStrictEqual([]);
    const connection = NbdByHand.dial(info);
    expect(await connection.tryRead(18)).toBeUndefined();
  });

  it('is either plain or not', async () => {
    await setPurpose('nbd');
    const [network] = await client.call<string[]>('network.get_all');
    expect(await client.failure('network.add_purpose', network, 'insecure_nbd')).toStrictEqual([
      'NETWORK_INCOMPATIBLE_PURPOSES',
      'insecure_nbd',
      'nbd',
    ]);
  });
});
