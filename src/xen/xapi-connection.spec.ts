import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { probePool } from './probe-pool.ts';
import { readInventory } from './read-inventory.ts';
import type { SimulatedVm } from './spec-simulated.ts';
import { type SimulatedAccess, SpecSimulator } from './spec-simulator.ts';
import { runTask } from './task.ts';
import { type XapiAccess, XapiConnection } from './xapi-connection.ts';

let simulator: SpecSimulator;
let alpha: SimulatedAccess;
const open: XapiConnection[] = [];

beforeAll(async () => {
  simulator = await SpecSimulator.start();
});
beforeEach(async () => {
  await simulator.delete('/faults');
  alpha = await simulator.access('alpha');
});
afterEach(async () => {
  await Promise.all(open.splice(0).map(async (connection) => connection.close()));
});
afterAll(async () => {
  await simulator.stop();
});

function pinned({ address, username, password, certificates }: SimulatedAccess): XapiAccess {
  return {
    address,
    username,
    password,
    certificates: { mode: 'pinned', sha256: certificates.map(({ sha256 }) => sha256) },
    otherAddresses: certificates.map((certificate) => certificate.address),
  };
}

async function connect(access: XapiAccess): Promise<XapiConnection> {
  const connection = await XapiConnection.open(access);
  open.push(connection);
  return connection;
}

describe('a pool that is added', () => {
  it('shows the certificate of every host, and the one that was dialled', async () => {
    const connection = await connect({ ...pinned(alpha), certificates: { mode: 'report' } });
    const probe = await probePool(connection);
    expect(probe.certificates).toEqual(alpha.certificates);
    expect(probe.presentedSha256).toBe(alpha.certificates[0]?.sha256);
    expect(probe.hosts.filter((host) => host.isCoordinator).map((host) => host.uuid)).toEqual([probe.coordinatorUuid]);
    expect(probe.capabilities).toMatchObject({ nbd: 'TLS', changedBlocksLicensed: true, snapshotIgnoresDisks: true });
    expect(probe.capabilities.changedBlocksSrs).not.toHaveLength(0);
  });

  it('is listed with its VMs, their disks and interfaces', async () => {
    const order = { pool: 'alpha', name: 'listed', disks: [{ sizeBytes: 4 << 20 }], interfaces: 2, tags: ['gold'] };
    const vm = await simulator.post<SimulatedVm>('/vms', order);
    const inventory = await readInventory(await connect(pinned(alpha)));
    const listed = inventory.vms.find(({ uuid }) => uuid === vm.uuid);
    expect(listed).toMatchObject({ name: 'listed', powerState: 'Running', tags: ['gold'] });
    expect(listed?.disks.map(({ vdiUuid, sizeBytes }) => ({ vdiUuid, sizeBytes }))).toEqual(
      vm.disks.map(({ uuid, sizeBytes }) => ({ vdiUuid: uuid, sizeBytes })),
    );
    expect(listed?.interfaces.map(({ mac }) => mac)).toEqual(vm.macs);
    expect(inventory.networks.map(({ uuid }) => uuid)).toContain(listed?.interfaces[0]?.networkUuid);
  });
});

describe('a log-in', () => {
  it('at another host is sent to the coordinator, on the port that was given', async () => {
    const member = `https://${alpha.certificates[1]?.address}:${new URL(alpha.address).port}`;
    const connection = await connect({ ...pinned(alpha), address: member, otherAddresses: [] });
    expect(connection.origin.origin).toBe(alpha.address);
    expect(await connection.getAllRecords('pool')).toHaveProperty('size', 1);
  });

  it('with a wrong password says so', async () => {
    await expect(connect({ ...pinned(alpha), password: 'wrong' })).rejects.toMatchObject({ code: 'POOL_AUTH_FAILED' });
  });

  it('at an address where nobody answers says so', async () => {
    const nowhere = { ...pinned(alpha), address: 'https://127.0.0.9:1', otherAddresses: [] };
    await expect(connect(nowhere)).rejects.toMatchObject({ code: 'POOL_UNREACHABLE' });
  });

  it('at what is no address is refused, and so is plain HTTP', async () => {
    await expect(connect({ ...pinned(alpha), address: 'no host' })).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(connect({ ...pinned(alpha), address: 'http://pool' })).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });

  it('sends nothing to a host whose certificate is not pinned', async () => {
    await simulator.delete('/log');
    const other = { ...pinned(alpha), certificates: { mode: 'pinned' as const, sha256: ['00'.repeat(32)] } };
    await expect(connect(other)).rejects.toMatchObject({ code: 'POOL_CERTIFICATE_CHANGED' });
    expect(await simulator.get('/log?type=http')).toEqual([]);
  });

  it('finds the pool at its other hosts when the first is dead, and the coordinator has moved', async () => {
    const [first, second] = alpha.certificates;
    await simulator.post('/pools/alpha/coordinator', { host: second?.address });
    await simulator.post(`/hosts/${first?.hostUuid}/kill`);
    try {
      const connection = await connect(pinned(alpha));
      expect(connection.origin.hostname).toBe(second?.address);
    } finally {
      await simulator.post(`/hosts/${first?.hostUuid}/restart`);
      await simulator.post('/pools/alpha/coordinator', { host: first?.address });
    }
  });
});

describe('a connection', () => {
  it('logs in again when its session has died', async () => {
    const connection = await connect(pinned(alpha));
    await simulator.post('/pools/alpha/logout');
    expect(await connection.getAllRecords('pool')).toHaveProperty('size', 1);
  });

  it('leaves no session behind', async () => {
    const connection = await connect(pinned(await simulator.access('beta')));
    expect((await simulator.leftovers('beta')).sessions).toHaveLength(1);
    await connection.close();
    expect((await simulator.leftovers('beta')).sessions).toEqual([]);
  });

  it('gives up waiting when it is told to', async () => {
    const connection = await connect(pinned(alpha));
    await simulator.post('/faults', { match: { kind: 'rpc', method: 'pool.get_all' }, action: { delayMs: 3000 } });
    const signal = AbortSignal.timeout(100);
    await expect(connection.call('pool.get_all', [], signal)).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it.each([
    [['SR_BACKEND_FAILURE_44', '', 'There is insufficient space', ''], 'SR_FULL'],
    [['SR_BACKEND_FAILURE_109', '', 'The snapshot chain is too long', ''], 'SNAPSHOT_CHAIN_TOO_LONG'],
    [['HANDLE_INVALID', 'VM', 'OpaqueRef:x'], 'VM_GONE'],
    [['UUID_INVALID', 'VDI', 'x'], 'DISK_GONE'],
    [['VM_HAS_VUSBS', 'OpaqueRef:x'], 'METHOD_NOT_SUPPORTED'],
    [['VDI_IN_USE', 'OpaqueRef:x', 'destroy'], 'VDI_BUSY'],
    [['LICENCE_RESTRICTION', 'CBT'], 'LICENCE_RESTRICTION'],
    [['SR_BACKEND_FAILURE_460', '', 'unrelated', ''], 'CHANGED_BLOCKS_UNAVAILABLE'],
    [['NEVER_HEARD_OF', 'a', 'b'], 'XAPI_FAILED'],
  ])('turns %j into %s, of a call and of a task', async (error, code) => {
    const connection = await connect(pinned(alpha));
    await simulator.post('/faults', { match: { kind: 'rpc', method: 'VM.snapshot' }, times: 2, action: { error } });
    const data = { xapiCode: error[0] };
    await expect(connection.call('VM.snapshot', ['OpaqueRef:x', 'n'])).rejects.toMatchObject({ code, data });
    await expect(runTask(connection, 'VM.snapshot', ['OpaqueRef:x', 'n'])).rejects.toMatchObject({ code, data });
    expect((await simulator.leftovers('alpha')).tasks).toEqual([]);
  });
});
