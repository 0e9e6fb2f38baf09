import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LogEntry } from '../xen/spec-simulated.ts';
import type { SpecSimulator } from '../xen/spec-simulator.ts';
import { BLOCK, MIB, SpecWorld } from './spec-world.ts';

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

describe('a VM with two disks', () => {
  it('is backed up in full, then by its changes, and comes back byte for byte in another pool', async () => {
    const vm = await world.makeVm([32 * MIB, 16 * MIB]);
    const [system, data] = vm.disks;
    const anchorsBefore = await world.anchorCount();

    const full = await world.runBackup(vm, null);
    expect(full.disks.map(({ path, reason }) => [path, reason])).toEqual([
      ['FULL_NBD', 'FIRST_BACKUP'],
      ['FULL_NBD', 'FIRST_BACKUP'],
    ]);
    expect(full.snapshot.consistency).toBe('CRASH');
    expect((await world.findVm(vm.uuid)).powerState).toBe('Running');
    await world.expectNothingLeft();
    expect(await world.anchorCount()).toBe(anchorsBefore + 2);

    await world.guestWrites(system?.uuid, 5 * BLOCK + 100, 2 * BLOCK);
    await world.guestWrites(data?.uuid, 15 * MIB, 1000);
    const log = await simulator.get<LogEntry[]>('/log?type=nbd-read');
    const second = await world.runBackup(vm, full.point.restorePointId);
    await world.guestWrites(system?.uuid, 0, MIB);

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
    await world.expectNothingLeft();
    expect(await world.anchorCount()).toBe(anchorsBefore + 2);

    await world.expectRestores(full.point.restorePointId, full.digests);
    await world.expectRestores(second.point.restorePointId, second.digests);
    await world.expectNothingLeft('beta');
    await world.mover.close();
    expect((await simulator.leftovers('alpha')).sessions).toEqual([]);
  });

  it('goes on when its NBD connections are cut in the middle', async () => {
    const vm = await world.makeVm([32 * MIB, 16 * MIB]);
    const backup = world.backupOf(vm);
    await backup.plan(null);
    const snapshot = await backup.snapshot();
    const digests = await world.digests(snapshot.disks);
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
    await world.expectRestores(point.restorePointId, digests);
    await world.expectNothingLeft();
  });

  it('is not of one moment when the policy forbids the pause, and says so', async () => {
    const vm = await world.makeVm([4 * MIB, 4 * MIB]);
    const backup = world.backupOf(vm);
    backup.pauseForConsistency = false;
    expect((await backup.snapshot()).consistency).toBe('CRASH_PER_DISK');
    await backup.cleanUp();
    await world.expectNothingLeft();
  });

  it('runs again however often the unpause fails, also when the snapshot does', async () => {
    const vm = await world.makeVm([4 * MIB, 4 * MIB]);
    const backup = world.backupOf(vm);
    const busy = ['OTHER_OPERATION_IN_PROGRESS', 'VM', 'x', 'snapshot', 'y'];
    await simulator.post('/faults', {
      match: { kind: 'rpc', method: 'VM.unpause' },
      times: 2,
      action: { error: busy },
    });
    const full = ['SR_BACKEND_FAILURE_44', '', 'There is insufficient space', ''];
    await simulator.post('/faults', { match: { kind: 'rpc', method: 'VM.snapshot' }, action: { error: full } });
    await expect(backup.snapshot()).rejects.toMatchObject({ code: 'SR_FULL' });
    expect((await world.findVm(vm.uuid)).powerState).toBe('Running');
    await backup.cleanUp();
    await world.expectNothingLeft();
  });
});

describe('a VM with one disk', () => {
  it('is not paused, and consistent as it is when it is switched off', async () => {
    const vm = await world.makeVm([4 * MIB], { powerState: 'Halted' });
    const run = await world.runBackup(vm, null);
    expect(run.snapshot.consistency).toBe('POWERED_OFF');
    await world.expectRestores(run.point.restorePointId, run.digests);
  });

  it('is read in full, with the reason, when the pool has lost the changes', async () => {
    const vm = await world.makeVm([8 * MIB]);
    const first = await world.runBackup(vm, null);
    const unrelated = ['SR_BACKEND_FAILURE_460', '', 'Source and target VDI are unrelated', ''];
    await simulator.post('/faults', {
      match: { kind: 'rpc', method: 'VDI.list_changed_blocks' },
      action: { error: unrelated },
    });
    await world.guestWrites(vm.disks[0]?.uuid, 0, BLOCK);
    const second = await world.runBackup(vm, first.point.restorePointId);
    expect(second.disks[0]).toMatchObject({ path: 'FULL_NBD', reason: 'TRACKING_CHAIN_LOST', bytesRead: 8 * MIB });
    await world.guestWrites(vm.disks[0]?.uuid, MIB, BLOCK);
    const third = await world.runBackup(vm, second.point.restorePointId);
    expect(third.disks[0]).toMatchObject({ path: 'CHANGED_BLOCKS_NBD', reason: null, bytesChanged: BLOCK });
    await world.expectRestores(third.point.restorePointId, third.digests);
  });

  it('is read in full, with the reason, when the base is not in the vault', async () => {
    const vm = await world.makeVm([4 * MIB]);
    const run = await world.runBackup(vm, '11111111-2222-4333-8444-555555555555');
    expect(run.plan.baseRestorePointId).toBeNull();
    expect(run.plan.warnings).toHaveLength(1);
    expect(run.disks[0]).toMatchObject({ path: 'FULL_NBD', reason: 'BASE_RESTORE_POINT_LOST' });
  });

  it('leaves no anchor when changes are not to be tracked', async () => {
    const vm = await world.makeVm([4 * MIB]);
    const before = await world.anchorCount();
    const backup = world.backupOf(vm);
    backup.changedBlocks = false;
    await backup.plan(null);
    const snapshot = await backup.snapshot();
    await backup.commit(snapshot, await backup.disks(snapshot));
    await backup.cleanUp();
    expect(await world.anchorCount()).toBe(before);
    await world.expectNothingLeft();
  });

  it('is snapshotted once, however often it is asked for', async () => {
    const vm = await world.makeVm([4 * MIB]);
    const backup = world.backupOf(vm);
    const first = await backup.snapshot();
    expect(await backup.snapshot()).toEqual(first);
    await backup.cleanUp();
    await backup.cleanUp();
    await world.expectNothingLeft();
  });

  it('is complete although the VM vanishes after its snapshot', async () => {
    const vm = await world.makeVm([4 * MIB]);
    const backup = world.backupOf(vm);
    await backup.plan(null);
    const snapshot = await backup.snapshot();
    const digest = await simulator.digest(snapshot.disks[0]?.snapshotVdiUuid ?? '');
    await simulator.delete(`/vms/${vm.uuid}`);
    const point = await backup.commit(snapshot, await backup.disks(snapshot));
    expect(point.sizeBytes).toBe(4 * MIB);
    await backup.cleanUp();
    await world.expectNothingLeft();
    await world.expectRestores(point.restorePointId, new Map([[vm.disks[0]?.uuid ?? '', digest]]));
  });

  it('is gone when it vanishes before', async () => {
    const vm = await world.makeVm([4 * MIB]);
    await simulator.delete(`/vms/${vm.uuid}`);
    const backup = world.backupOf(vm);
    await expect(backup.plan(null)).rejects.toMatchObject({ code: 'VM_GONE' });
    await expect(backup.snapshot()).rejects.toMatchObject({ code: 'VM_GONE' });
    await backup.cleanUp();
    await world.expectNothingLeft();
  });
});

describe('a restore', () => {
  async function point(sizes: readonly number[]) {
    const vm = await world.makeVm(sizes, { interfaces: 2 });
    return { vm, ...(await world.runBackup(vm, null)) };
  }

  it('gives the VM a new identity, found again when it is created twice', async () => {
    const { vm, point: made } = await point([4 * MIB, 4 * MIB]);
    const restore = world.restoreOf(made.restorePointId);
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
    expect((await world.findVm(created.vmUuid)).disks).toHaveLength(2);
  });

  it('follows the pool to the host that sees the disk', async () => {
    const { point: made, digests } = await point([8 * MIB]);
    const { srs, networks } = await simulator.describePool('alpha');
    const local = srs.find((sr) => sr.name.includes('alpha-2'));
    const placement = {
      defaultSrUuid: local?.uuid ?? '',
      disks: {},
      networks: Object.fromEntries(networks.map(({ uuid }) => [uuid, uuid])),
    };
    const restore = world.restoreOf(made.restorePointId, { pool: world.alpha, placement });
    const created = await restore.create();
    await restore.disks(created);
    expect(await simulator.digest(created.disks[0]?.vdiUuid ?? '')).toBe(digests.get(created.disks[0]?.diskKey ?? ''));
    await restore.cleanUp();
    await world.expectNothingLeft();
  });

  it('is begun anew when it broke off while the VM was made', async () => {
    const { point: made, digests } = await point([4 * MIB, 4 * MIB]);
    const vmsBefore = (await simulator.get<unknown[]>('/vms')).length;
    const restore = world.restoreOf(made.restorePointId);
    const error = ['INTERNAL_ERROR', 'ordered'];
    await simulator.post('/faults', { match: { kind: 'rpc', method: 'VIF.create' }, action: { error } });
    await expect(restore.create()).rejects.toMatchObject({ code: 'XAPI_FAILED' });
    const created = await restore.create();
    expect((await simulator.get<unknown[]>('/vms')).length).toBe(vmsBefore + 1);
    await restore.disks(created);
    for (const disk of created.disks) {
      expect(await simulator.digest(disk.vdiUuid)).toBe(digests.get(disk.diskKey));
    }
    expect((await restore.cleanUp()).removed).toHaveLength(3);
  });

  it('leaves nothing behind when the SR becomes full', async () => {
    const { point: made } = await point([16 * MIB]);
    const vmsBefore = (await simulator.get<unknown[]>('/vms')).length;
    const restore = world.restoreOf(made.restorePointId);
    const created = await restore.create();
    await simulator.post(`/srs/${world.beta.placement.defaultSrUuid}/free`, { bytes: 2 * MIB });
    await expect(restore.disks(created)).rejects.toMatchObject({ code: 'SR_FULL' });
    await simulator.post(`/srs/${world.beta.placement.defaultSrUuid}/free`, { bytes: 1024 * MIB });
    expect((await restore.cleanUp()).removed).toHaveLength(2);
    expect((await restore.cleanUp()).removed).toHaveLength(0);
    expect((await simulator.get<unknown[]>('/vms')).length).toBe(vmsBefore);
    await world.expectNothingLeft('beta');
  });

  it('leaves nothing behind when it is stopped or the stream is cut', async () => {
    const { point: made } = await point([16 * MIB]);
    const restore = world.restoreOf(made.restorePointId);
    const created = await restore.create();
    await simulator.post('/faults', {
      match: { kind: 'handler', handler: '/import_raw_vdi' },
      action: { cutAfterBytes: 2 * MIB },
    });
    await expect(restore.disks(created)).rejects.toMatchObject({ code: 'IMPORT_FAILED' });
    await world.expectNothingLeft('beta');
    const imports = await simulator.hold({ kind: 'handler', handler: '/import_raw_vdi' });
    const stop = new AbortController();
    const stopped = restore.disks(created, stop.signal);
    await imports.reached();
    stop.abort();
    await expect(stopped).rejects.toMatchObject({ kind: 'cancelled' });
    await imports.letGo();
    await world.expectNothingLeft('beta');
    await expect(restore.disks(created, AbortSignal.abort())).rejects.toMatchObject({ kind: 'cancelled' });
    await restore.cleanUp();
    await world.expectNothingLeft('beta');
  });

  it('names the networks that are not mapped', async () => {
    const { point: made } = await point([4 * MIB]);
    const placement = { ...world.beta.placement, networks: {} };
    const restore = world.restoreOf(made.restorePointId, { ...world.beta, placement });
    await expect(restore.plan()).rejects.toMatchObject({ code: 'NETWORK_NOT_MAPPED' });
  });
});
