import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../kernel/errors.ts';
import type { LogEntry } from '../xen/spec-simulated.ts';
import type { SpecSimulator } from '../xen/spec-simulator.ts';
import { setStamps, STAMP } from '../xen/stamps.ts';
import { listVmDevices } from '../xen/vm-disks.ts';
import { XapiConnection } from '../xen/xapi-connection.ts';
import { LocalMover } from './local-mover.ts';
import { SpecBackup } from './spec-vault.ts';
import { MIB, SpecWorld } from './spec-world.ts';

let world: SpecWorld;
let simulator: SpecSimulator;

beforeAll(async () => {
  world = await SpecWorld.start();
  ({ simulator } = world);
});
beforeEach(async () => world.begin());
afterAll(async () => {
  await simulator.stop();
});

describe('a backup that is stopped', () => {
  it('leaves nothing in the pool and no restore point', async () => {
    const vm = await world.makeVm([32 * MIB]);
    const before = await world.anchorCount();
    const backup = world.backupOf(vm);
    await backup.plan(null);
    const snapshot = await backup.snapshot();
    const reads = await simulator.hold({ kind: 'nbd-read' }, 3);
    const stop = new AbortController();
    const stopped = backup.disks(snapshot, stop.signal);
    await reads.reached();
    stop.abort(new AppError('JOB_CANCELLED', 'stopped'));
    await expect(stopped).rejects.toMatchObject({ kind: 'cancelled' });
    await reads.letGo();
    await backup.cleanUp();
    await world.expectNothingLeft();
    expect(await world.anchorCount()).toBe(before);
    await expect(backup.commit(snapshot, [])).rejects.toBeInstanceOf(AppError);
  });
});

describe('a backup that was interrupted', () => {
  it('goes on where it was, reading again only what was in flight', async () => {
    const size = 192 * MIB;
    const vm = await world.makeVm([size]);
    for (let at = 8; at < 176; at += 24) {
      await world.guestWrites(vm.disks[0]?.uuid, at * MIB, 24 * MIB);
    }
    await world.mover.close();
    world.mover = new LocalMover({ workers: 1 });
    const backup = world.backupOf(vm);
    await backup.plan(null);
    const snapshot = await backup.snapshot();
    const digests = await world.digests(snapshot.disks);
    const reads = await simulator.hold({ kind: 'nbd-read' }, 360);
    const stop = new AbortController();
    const interrupted = backup.disks(snapshot, stop.signal);
    await expect.poll(async () => await world.vault.countPacks()).toBeGreaterThanOrEqual(4);
    stop.abort();
    await expect(interrupted).rejects.toMatchObject({ kind: 'cancelled' });
    await reads.letGo();
    await world.mover.close();
    const readBefore = await bytesRead(snapshot.disks);

    world.mover = new LocalMover({ workers: 1 });
    const again = backup.continuedBy(world.mover);
    expect(await again.snapshot()).toEqual(snapshot);
    const [disk] = await again.disks(snapshot);
    expect(disk).toMatchObject({ path: 'FULL_NBD', sizeBytes: size, stored: { resumed: true } });
    // What is in the first four packs at least, which grow from 8 MiB on, isn't read again.
    expect(await bytesRead(snapshot.disks)).toBeLessThan(readBefore + size - 60 * MIB);
    const point = await again.commit(snapshot, disk === undefined ? [] : [disk]);
    await again.cleanUp();
    await world.expectRestores(point.restorePointId, digests);
    await world.expectNothingLeft();
    await world.mover.close();
  });

  it('is swept from the pool by the next one that succeeds', async () => {
    const vm = await world.makeVm([4 * MIB]);
    const anchors = await world.anchorCount();
    await world.backupOf(vm).snapshot();
    const run = await world.runBackup(vm, null);
    expect(run.cleaned.removed.filter((what) => what.startsWith('snapshot'))).toHaveLength(2);
    await world.expectNothingLeft();
    expect(await world.anchorCount()).toBe(anchors + 1);
  });

  it('leaves no data in the pool while its vault is out of reach, and nothing once it is back', async () => {
    const vm = await world.makeVm([4 * MIB]);
    const anchors = await world.anchorCount();
    const backup = world.backupOf(vm);
    await backup.snapshot();
    await world.vault.hide();
    await expect(backup.cleanUp()).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });
    await world.expectNothingLeft();
    await world.vault.show();
    await backup.cleanUp();
    expect(await world.anchorCount()).toBe(anchors);
  });

  it('ends when somebody has removed its snapshot', async () => {
    const vm = await world.makeVm([32 * MIB]);
    const anchors = await world.anchorCount();
    const backup = world.backupOf(vm);
    await backup.plan(null);
    const snapshot = await backup.snapshot();
    await simulator.post('/faults', {
      match: { kind: 'nbd-read' },
      nth: 8,
      action: { vanishVm: snapshot.snapshotVmUuid, cutAfterBytes: 0 },
    });
    await expect(backup.disks(snapshot)).rejects.toMatchObject({ code: 'DISK_GONE' });
    await backup.cleanUp();
    await world.expectNothingLeft();
    expect(await world.anchorCount()).toBe(anchors);
  });

  it('lets a VM go on that it had paused', async () => {
    const vm = await world.makeVm([4 * MIB]);
    const backup = world.backupOf(vm);
    await withPool(async (connection) => {
      const ref = await connection.getRefByUuid('VM', vm.uuid);
      await setStamps(connection, { className: 'VM', ref }, { [STAMP.pausedBy]: backup.jobId });
      await connection.call('VM.pause', [ref]);
    });
    await world.backupOf(vm).cleanUp();
    expect((await world.findVm(vm.uuid)).powerState).toBe('Paused');
    await backup.cleanUp();
    expect((await world.findVm(vm.uuid)).powerState).toBe('Running');
  });

  it('leaves the snapshots and anchors of others alone', async () => {
    const vm = await world.makeVm([4 * MIB]);
    const first = await world.runBackup(vm, null);
    const theirs = await withPool(async (connection) => {
      const ref = await connection.getRefByUuid('VM', vm.uuid);
      const snapshot = await connection.callForString('VM.snapshot', [ref, 'somebody else’s']);
      return connection.callForString('VM.get_uuid', [snapshot]);
    });
    const second = await world.runBackup(vm, first.point.restorePointId);
    expect(second.disks[0]?.path).toBe('CHANGED_BLOCKS_NBD');
    const left = await simulator.leftovers('alpha');
    expect(left.snapshotVms).toMatchObject([{ uuid: theirs }]);
    await simulator.delete(`/vms/${theirs}`);
  });

  it('leaves a snapshot alone that inherited our stamps, as one of a VM that was reverted to ours does', async () => {
    const vm = await world.makeVm([4 * MIB]);
    const backup = world.backupOf(vm);
    await backup.plan(null);
    const snapshot = await backup.snapshot();
    const theirs = await withPool(async (connection) => {
      const ref = await connection.getRefByUuid('VM', vm.uuid);
      const copy = await connection.callForString('VM.snapshot', [ref, 'somebody else’s']);
      const ours = await connection.getRefByUuid('VM', snapshot.snapshotVmUuid);
      await copyStamps(connection, 'VM', ours, copy);
      const [from, to] = await Promise.all([firstDisk(connection, ours), firstDisk(connection, copy)]);
      await copyStamps(connection, 'VDI', from, to);
      return (await connection.getRecord('VM', copy)).uuid;
    });
    const { restorePointId } = await backup.commit(snapshot, await backup.disks(snapshot));
    await backup.cleanUp();
    await world.runBackup(vm, restorePointId);
    const left = await simulator.leftovers('alpha');
    expect(left.snapshotVms).toMatchObject([{ uuid: theirs }]);
    expect(left.snapshotVdis).toHaveLength(1);
    await simulator.delete(`/vms/${theirs}`);
  });
});

async function firstDisk(connection: XapiConnection, vm: string): Promise<string> {
  const { disks } = await listVmDevices(connection, await connection.getRecord('VM', vm));
  return disks[0]?.vdiRef ?? '';
}

async function copyStamps(
  connection: XapiConnection,
  className: 'VM' | 'VDI',
  from: string,
  to: string,
): Promise<void> {
  const { other_config: config } = await connection.getRecord(className, from);
  await setStamps(connection, { className, ref: to }, config);
}

describe('a restore whose process was killed', () => {
  it('has its import ended by the clean-up, and nobody else’s', async () => {
    const restore = world.restoreOf('11111111-2222-4333-8444-555555555555', { ...world.beta, pool: world.alpha });
    const [ours, theirs] = await withPool(async (connection) => [
      await connection.callForString('task.create', ['Holdfast restore', `job ${restore.jobId}`]),
      await connection.callForString('task.create', ['Holdfast restore', 'job of another']),
    ]);
    await restore.cleanUp();
    const left = (await simulator.leftovers('alpha')).tasks;
    expect(left).toMatchObject([{ ref: theirs }]);
    expect(left).not.toMatchObject([{ ref: ours }]);
    await withPool(async (connection) => {
      await connection.call('task.set_status', [theirs, 'cancelled']);
      await connection.call('task.destroy', [theirs]);
    });
  });
});

describe('a host that dies', () => {
  it('does not stop a backup that another host can serve', async () => {
    const vm = await world.makeVm([64 * MIB]);
    const backup = world.backupOf(vm);
    await backup.plan(null);
    const snapshot = await backup.snapshot();
    const digests = await world.digests(snapshot.disks);
    const [, second] = world.alpha.certificates;
    await simulator.post('/faults', {
      match: { kind: 'nbd-read', host: second?.hostUuid },
      nth: 4,
      action: { killHost: second?.hostUuid },
    });
    try {
      const disks = await backup.disks(snapshot);
      expect(disks).toHaveLength(1);
      const point = await backup.commit(snapshot, disks);
      await backup.cleanUp();
      await world.expectRestores(point.restorePointId, digests);
    } finally {
      await simulator.post(`/hosts/${second?.hostUuid ?? ''}/restart`);
    }
    await world.expectNothingLeft();
  });
});

describe('a pool that changes under the mover', () => {
  it('is refused when its certificate is another one, and read again once that is accepted', async () => {
    const vm = await world.makeVm([4 * MIB]);
    const [first] = world.alpha.certificates;
    await simulator.post(`/hosts/${first?.hostUuid ?? ''}/certificate`);
    await expect(world.backupOf(vm).plan(null)).rejects.toMatchObject({ code: 'POOL_CERTIFICATE_CHANGED' });
    world.alpha = await simulator.access('alpha');
    const accepted = new SpecBackup(world.mover, world.vault, world.alpha, vm.uuid);
    expect((await accepted.plan(null)).vmUuid).toBe(vm.uuid);
  });

  it('is read in clear where its network has the purpose insecure_nbd', async () => {
    const vm = await world.makeVm([4 * MIB]);
    await changePurpose('nbd', 'insecure_nbd');
    try {
      const run = await world.runBackup(vm, null);
      await world.expectRestores(run.point.restorePointId, run.digests);
      expect(run.disks[0]?.bytesRead).toBe(4 * MIB);
    } finally {
      await changePurpose('insecure_nbd', 'nbd');
    }
  });

  it('says before the run that NBD is not offered', async () => {
    const vm = await world.makeVm([4 * MIB]);
    const ref = await changePurpose('nbd', null);
    try {
      await expect(world.backupOf(vm).plan(null)).rejects.toMatchObject({ code: 'NBD_UNAVAILABLE' });
    } finally {
      await withPool(async (connection) => connection.call('network.add_purpose', [ref, 'nbd']));
    }
  });
});

/** Returns the reference of the network that had the purpose. */
async function changePurpose(from: string, to: string | null): Promise<string> {
  return withPool(async (connection) => {
    const networks = [...(await connection.getAllRecords('network'))];
    const [ref] = networks.find(([, { purpose }]) => purpose?.some((each) => each === from)) ?? [''];
    await connection.call('network.remove_purpose', [ref, from]);
    if (to !== null) {
      await connection.call('network.add_purpose', [ref, to]);
    }
    return ref;
  });
}

async function bytesRead(disks: readonly { readonly snapshotVdiUuid: string }[]): Promise<number> {
  const reads = await simulator.get<LogEntry[]>('/log?type=nbd-read');
  return reads
    .filter((entry) => disks.some((disk) => disk.snapshotVdiUuid === entry.vdi))
    .reduce((sum, entry) => sum + entry.length, 0);
}

async function withPool<T>(work: (connection: XapiConnection) => Promise<T>): Promise<T> {
  const { address, username, password } = world.alpha;
  const connection = await XapiConnection.open({ address, username, password, certificates: { mode: 'report' } });
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}
