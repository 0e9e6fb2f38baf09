import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { AppError } from '../kernel/errors.ts';
import { type LogEntry, type SimulatedVm, SpecSimulator } from '../xen/spec-simulator.ts';
import type { PoolAccess } from './access.ts';
import { LocalMover } from './local-mover.ts';
import type { Placement } from './restore-commands.ts';
import { SpecBackup, SpecRestore, SpecVault } from './spec-vault.ts';

const MIB = 1024 * 1024;
const BLOCK = 64 * 1024;

let simulator: SpecSimulator;
let mover: LocalMover;
let vault: SpecVault;
let alpha: PoolAccess;
let beta: { readonly pool: PoolAccess; readonly placement: Placement };

beforeAll(async () => {
  simulator = await SpecSimulator.start();
  alpha = await simulator.access('alpha');
  const [source, target] = await Promise.all([simulator.pool('alpha'), simulator.pool('beta')]);
  const networks = source.networks.map(({ uuid }) => [uuid, target.networks[0]?.uuid ?? ''] as const);
  beta = {
    pool: await simulator.access('beta'),
    placement: {
      defaultSrUuid: target.srs.find((sr) => sr.shared)?.uuid ?? '',
      disks: {},
      networks: Object.fromEntries(networks),
    },
  };
});

beforeEach(async () => {
  await simulator.delete('/faults');
  mover = new LocalMover();
  vault = await SpecVault.create(mover);
  return async () => {
    await mover.close();
    await vault.remove();
  };
});

afterAll(async () => {
  await simulator.stop();
});

async function makeVm(sizes: readonly number[], order: object = {}): Promise<SimulatedVm> {
  const disks = sizes.map((sizeBytes) => ({ sizeBytes }));
  const vm = await simulator.post<SimulatedVm>('/vms', { pool: 'alpha', name: 'web', disks, ...order });
  for (const [index, disk] of vm.disks.entries()) {
    const length = Math.min(6 * MIB, disk.sizeBytes / 2);
    const at = { offset: MIB + index * BLOCK, length, randomSeed: `disk ${disk.uuid}`, force: true };
    await simulator.post(`/vdis/${disk.uuid}/write`, at);
  }
  return vm;
}

async function guestWrites(vdiUuid: string, offset: number, length: number): Promise<void> {
  await simulator.post(`/vdis/${vdiUuid}/write`, { offset, length, randomSeed: `${offset} ${length}`, force: true });
}

function backupOf(vm: SimulatedVm): SpecBackup {
  return new SpecBackup(mover, vault, alpha, vm.uuid);
}

async function runBackup(vm: SimulatedVm, base: string | null) {
  const backup = backupOf(vm);
  const plan = await backup.plan(base);
  const snapshot = await backup.snapshot();
  const digests = new Map<string, string>();
  for (const disk of snapshot.disks) {
    digests.set(disk.vdiUuid, await simulator.digest(disk.snapshotVdiUuid));
  }
  const disks = await backup.disks(snapshot);
  const point = await backup.commit(snapshot, disks);
  const cleaned = await backup.cleanUp();
  return { plan, snapshot, digests, disks, point, cleaned };
}

async function expectRestores(restorePointId: string, digests: ReadonlyMap<string, string>): Promise<void> {
  const restore = new SpecRestore(mover, vault, beta, restorePointId);
  const vm = await restore.create();
  await restore.disks(vm);
  const finished = await restore.finish(vm);
  expect(finished.powerState).toBe('Halted');
  expect((await restore.cleanUp()).removed).toEqual([]);
  for (const disk of vm.disks) {
    expect(await simulator.digest(disk.vdiUuid)).toBe(digests.get(disk.diskKey));
  }
  await simulator.delete(`/vms/${vm.vmUuid}`);
}

/** Snapshots, attachments, tasks and NBD connections; anchors are counted apart, sessions once the mover is closed. */
async function expectNothingLeft(pool = 'alpha'): Promise<void> {
  // A pool lets go of an attachment some time after the stream has ended.
  await vi.waitFor(
    async () => {
      const left = await simulator.leftovers(pool);
      const { snapshotVms, snapshotVdis, controlDomainVbds, tasks, nbdConnections } = left;
      expect({ snapshotVms, snapshotVdis, controlDomainVbds, tasks, nbdConnections }).toEqual({
        snapshotVms: [],
        snapshotVdis: [],
        controlDomainVbds: [],
        tasks: [],
        nbdConnections: 0,
      });
    },
    { timeout: 5000 },
  );
}

async function anchorCount(): Promise<number> {
  return (await simulator.leftovers('alpha')).cbtMetadataVdis.length;
}

describe('a VM with two disks', () => {
  it('is backed up in full, then by its changes, and comes back byte for byte in another pool', async () => {
    const vm = await makeVm([32 * MIB, 16 * MIB]);
    const [system, data] = vm.disks;
    const anchorsBefore = await anchorCount();

    const full = await runBackup(vm, null);
    expect(full.disks.map(({ path, reason }) => [path, reason])).toEqual([
      ['FULL_NBD', 'FIRST_BACKUP'],
      ['FULL_NBD', 'FIRST_BACKUP'],
    ]);
    expect(full.snapshot.consistency).toBe('CRASH');
    expect((await simulator.get<SimulatedVm>(`/vms/${vm.uuid}`)).powerState).toBe('Running');
    await expectNothingLeft();
    expect(await anchorCount()).toBe(anchorsBefore + 2);

    await guestWrites(system?.uuid ?? '', 5 * BLOCK + 100, 2 * BLOCK);
    await guestWrites(data?.uuid ?? '', 15 * MIB, 1000);
    const log = await simulator.get<LogEntry[]>('/log?type=nbd-read');
    const second = await runBackup(vm, full.point.restorePointId);
    await guestWrites(system?.uuid ?? '', 0, MIB);

    expect(second.plan.disks.map((disk) => disk.path)).toEqual(['CHANGED_BLOCKS_NBD', 'CHANGED_BLOCKS_NBD']);
    expect(second.disks.map((disk) => disk.bytesChanged)).toEqual([3 * BLOCK, BLOCK]);
    const reads = await simulator.get<LogEntry[]>(`/log?type=nbd-read&since=${log.at(-1)?.seq ?? 0}`);
    for (const disk of second.disks) {
      const snapshotted = second.snapshot.disks.find((each) => each.vdiUuid === disk.vdiUuid);
      const read = reads.filter((entry) => entry.vdi === snapshotted?.snapshotVdiUuid);
      const bytes = read.reduce((sum, entry) => sum + entry.length, 0);
      expect(bytes).toBeLessThanOrEqual(disk.bytesChanged + disk.stored.bytesSampled);
    }
    expect(second.cleaned.removed.filter((what) => what.startsWith('anchor'))).toHaveLength(2);
    await expectNothingLeft();
    expect(await anchorCount()).toBe(anchorsBefore + 2);

    await expectRestores(full.point.restorePointId, full.digests);
    await expectRestores(second.point.restorePointId, second.digests);
    await expectNothingLeft('beta');
    await mover.close();
    expect((await simulator.leftovers('alpha')).sessions).toEqual([]);
  });

  it('goes on when its NBD connections are cut in the middle', async () => {
    const vm = await makeVm([32 * MIB, 16 * MIB]);
    const backup = backupOf(vm);
    await backup.plan(null);
    const snapshot = await backup.snapshot();
    const digests = new Map([
      [vm.disks[0]?.uuid ?? '', await simulator.digest(snapshot.disks[0]?.snapshotVdiUuid ?? '')],
    ]);
    digests.set(vm.disks[1]?.uuid ?? '', await simulator.digest(snapshot.disks[1]?.snapshotVdiUuid ?? ''));
    await simulator.post('/faults', {
      match: { kind: 'nbd-read', vdi: snapshot.disks[0]?.snapshotVdiUuid },
      nth: 5,
      times: 2,
      action: { cutAfterBytes: 1000 },
    });
    const disks = await backup.disks(snapshot);
    expect(disks[0]?.reconnects).toBeGreaterThan(0);
    const point = await backup.commit(snapshot, disks);
    await backup.cleanUp();
    await expectRestores(point.restorePointId, digests);
    await expectNothingLeft();
  });

  it('is not of one moment when the policy forbids the pause, and says so', async () => {
    const vm = await makeVm([4 * MIB, 4 * MIB]);
    const backup = backupOf(vm);
    backup.pauseForConsistency = false;
    expect((await backup.snapshot()).consistency).toBe('CRASH_PER_DISK');
    await backup.cleanUp();
    await expectNothingLeft();
  });

  it('runs again however often the unpause fails, also when the snapshot does', async () => {
    const vm = await makeVm([4 * MIB, 4 * MIB]);
    const backup = backupOf(vm);
    const busy = ['OTHER_OPERATION_IN_PROGRESS', 'VM', 'x', 'snapshot', 'y'];
    await simulator.post('/faults', {
      match: { kind: 'rpc', method: 'VM.unpause' },
      times: 2,
      action: { error: busy },
    });
    const full = ['SR_BACKEND_FAILURE_44', '', 'There is insufficient space', ''];
    await simulator.post('/faults', { match: { kind: 'rpc', method: 'VM.snapshot' }, action: { error: full } });
    await expect(backup.snapshot()).rejects.toMatchObject({ code: 'SR_FULL' });
    expect((await simulator.get<SimulatedVm>(`/vms/${vm.uuid}`)).powerState).toBe('Running');
    await backup.cleanUp();
    await expectNothingLeft();
  });
});

describe('a VM with one disk', () => {
  it('is not paused, and consistent as it is when it is switched off', async () => {
    const vm = await makeVm([4 * MIB], { powerState: 'Halted' });
    const run = await runBackup(vm, null);
    expect(run.snapshot.consistency).toBe('POWERED_OFF');
    await expectRestores(run.point.restorePointId, run.digests);
  });

  it('is read in full, with the reason, when the pool has lost the changes', async () => {
    const vm = await makeVm([8 * MIB]);
    const first = await runBackup(vm, null);
    const unrelated = ['SR_BACKEND_FAILURE_460', '', 'Source and target VDI are unrelated', ''];
    await simulator.post('/faults', {
      match: { kind: 'rpc', method: 'VDI.list_changed_blocks' },
      action: { error: unrelated },
    });
    await guestWrites(vm.disks[0]?.uuid ?? '', 0, BLOCK);
    const second = await runBackup(vm, first.point.restorePointId);
    expect(second.disks[0]).toMatchObject({ path: 'FULL_NBD', reason: 'TRACKING_CHAIN_LOST', bytesRead: 8 * MIB });
    await guestWrites(vm.disks[0]?.uuid ?? '', MIB, BLOCK);
    const third = await runBackup(vm, second.point.restorePointId);
    expect(third.disks[0]).toMatchObject({ path: 'CHANGED_BLOCKS_NBD', reason: null, bytesChanged: BLOCK });
    await expectRestores(third.point.restorePointId, third.digests);
  });

  it('is read in full, with the reason, when the base is not in the vault', async () => {
    const vm = await makeVm([4 * MIB]);
    const run = await runBackup(vm, '11111111-2222-4333-8444-555555555555');
    expect(run.plan.baseRestorePointId).toBeNull();
    expect(run.plan.warnings).toHaveLength(1);
    expect(run.disks[0]).toMatchObject({ path: 'FULL_NBD', reason: 'BASE_RESTORE_POINT_LOST' });
  });

  it('leaves no anchor when changes are not to be tracked', async () => {
    const vm = await makeVm([4 * MIB]);
    const before = await anchorCount();
    const backup = backupOf(vm);
    backup.changedBlocks = false;
    await backup.plan(null);
    const snapshot = await backup.snapshot();
    await backup.commit(snapshot, await backup.disks(snapshot));
    await backup.cleanUp();
    expect(await anchorCount()).toBe(before);
    await expectNothingLeft();
  });

  it('is snapshotted once, however often it is asked for', async () => {
    const vm = await makeVm([4 * MIB]);
    const backup = backupOf(vm);
    const first = await backup.snapshot();
    expect(await backup.snapshot()).toEqual(first);
    await backup.cleanUp();
    await backup.cleanUp();
    await expectNothingLeft();
  });

  it('is complete although the VM vanishes after its snapshot', async () => {
    expect.hasAssertions();
    const vm = await makeVm([4 * MIB]);
    const backup = backupOf(vm);
    await backup.plan(null);
    const snapshot = await backup.snapshot();
    const digest = await simulator.digest(snapshot.disks[0]?.snapshotVdiUuid ?? '');
    await simulator.delete(`/vms/${vm.uuid}`);
    const point = await backup.commit(snapshot, await backup.disks(snapshot));
    await backup.cleanUp();
    await expectNothingLeft();
    await expectRestores(point.restorePointId, new Map([[vm.disks[0]?.uuid ?? '', digest]]));
  });

  it('is gone when it vanishes before', async () => {
    const vm = await makeVm([4 * MIB]);
    await simulator.delete(`/vms/${vm.uuid}`);
    const backup = backupOf(vm);
    await expect(backup.plan(null)).rejects.toMatchObject({ code: 'VM_GONE' });
    await expect(backup.snapshot()).rejects.toMatchObject({ code: 'VM_GONE' });
    await backup.cleanUp();
    await expectNothingLeft();
  });
});

describe('a backup that is stopped', () => {
  it('leaves nothing in the pool and no restore point', async () => {
    const vm = await makeVm([32 * MIB]);
    const before = await anchorCount();
    const backup = backupOf(vm);
    await backup.plan(null);
    const snapshot = await backup.snapshot();
    await simulator.post('/faults', { match: { kind: 'nbd-read' }, nth: 3, times: 0, action: { delayMs: 300 } });
    const stop = new AbortController();
    setTimeout(() => {
      stop.abort(new AppError('JOB_CANCELLED', 'stopped'));
    }, 200);
    await expect(backup.disks(snapshot, stop.signal)).rejects.toMatchObject({ kind: 'cancelled' });
    await simulator.delete('/faults');
    await backup.cleanUp();
    await expectNothingLeft();
    expect(await anchorCount()).toBe(before);
    await expect(backup.commit(snapshot, [])).rejects.toBeInstanceOf(AppError);
  });
});

describe('a restore', () => {
  async function point(sizes: readonly number[]) {
    const vm = await makeVm(sizes, { interfaces: 2 });
    return { vm, ...(await runBackup(vm, null)) };
  }

  it('gives the VM a new identity, found again when it is created twice', async () => {
    const { vm, point: made } = await point([4 * MIB, 4 * MIB]);
    const restore = new SpecRestore(mover, vault, beta, made.restorePointId);
    const created = await restore.create();
    expect(await restore.create()).toEqual(created);
    await restore.disks(created);
    const finished = await restore.finish(created);
    expect(created.vmUuid).not.toBe(vm.uuid);
    expect(finished.interfaces).toHaveLength(2);
    for (const { mac } of finished.interfaces) {
      expect(vm.macs).not.toContain(mac);
    }
    expect((await restore.finish(created)).vmUuid).toBe(created.vmUuid);
    await restore.cleanUp();
    expect((await simulator.get<SimulatedVm>(`/vms/${created.vmUuid}`)).disks).toHaveLength(2);
  });

  it('follows the pool to the host that sees the disk', async () => {
    const { point: made, digests } = await point([8 * MIB]);
    const { srs, networks } = await simulator.pool('alpha');
    const local = srs.find((sr) => sr.name.includes('alpha-2'));
    const placement = {
      defaultSrUuid: local?.uuid ?? '',
      disks: {},
      networks: Object.fromEntries(networks.map(({ uuid }) => [uuid, uuid])),
    };
    const restore = new SpecRestore(mover, vault, { pool: alpha, placement }, made.restorePointId);
    const created = await restore.create();
    await restore.disks(created);
    expect(await simulator.digest(created.disks[0]?.vdiUuid ?? '')).toBe(digests.get(created.disks[0]?.diskKey ?? ''));
    await restore.cleanUp();
    await expectNothingLeft();
  });

  it('leaves nothing behind when the SR becomes full', async () => {
    const { point: made } = await point([16 * MIB]);
    const vmsBefore = (await simulator.get<unknown[]>('/vms')).length;
    const restore = new SpecRestore(mover, vault, beta, made.restorePointId);
    const created = await restore.create();
    await simulator.post(`/srs/${beta.placement.defaultSrUuid}/free`, { bytes: 2 * MIB });
    await expect(restore.disks(created)).rejects.toMatchObject({ code: 'SR_FULL' });
    await simulator.post(`/srs/${beta.placement.defaultSrUuid}/free`, { bytes: 1024 * MIB });
    expect((await restore.cleanUp()).removed).toHaveLength(2);
    expect((await restore.cleanUp()).removed).toHaveLength(0);
    expect((await simulator.get<unknown[]>('/vms')).length).toBe(vmsBefore);
    await expectNothingLeft('beta');
  });

  it('leaves nothing behind when it is stopped or the stream is cut', async () => {
    const { point: made } = await point([16 * MIB]);
    const restore = new SpecRestore(mover, vault, beta, made.restorePointId);
    const created = await restore.create();
    await simulator.post('/faults', {
      match: { kind: 'handler', handler: '/import_raw_vdi' },
      action: { cutAfterBytes: 2 * MIB },
    });
    await expect(restore.disks(created)).rejects.toMatchObject({ code: 'IMPORT_FAILED' });
    await expectNothingLeft('beta');
    await expect(restore.disks(created, AbortSignal.abort())).rejects.toMatchObject({ kind: 'cancelled' });
    await restore.cleanUp();
    await expectNothingLeft('beta');
  });

  it('names the networks that are not mapped', async () => {
    const { point: made } = await point([4 * MIB]);
    const placement = { ...beta.placement, networks: {} };
    const restore = new SpecRestore(mover, vault, { ...beta, placement }, made.restorePointId);
    await expect(restore.plan()).rejects.toMatchObject({ code: 'NETWORK_NOT_MAPPED' });
  });
});
