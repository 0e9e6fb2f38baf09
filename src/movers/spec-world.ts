import { deepEqual, equal } from 'node:assert/strict';
import { expectNothingLeft } from '../xen/spec-leftovers.ts';
import type { SimulatedVm } from '../xen/spec-simulated.ts';
import { SpecSimulator } from '../xen/spec-simulator.ts';
import type { PoolAccess } from './access.ts';
import { LocalMover } from './local-mover.ts';
import type { Placement } from './restore-commands.ts';
import { SpecBackup, SpecRestore, SpecVault } from './spec-vault.ts';

export const MIB = 1024 * 1024;
export const BLOCK = 64 * 1024;

export interface RestoreTarget {
  readonly pool: PoolAccess;
  readonly placement: Placement;
}

/** The simulator with its two pools, and for each test a mover and a vault: for specs only. */
export class SpecWorld {
  readonly simulator: SpecSimulator;
  alpha: PoolAccess;
  readonly beta: RestoreTarget;
  mover = new LocalMover();
  #vault: SpecVault | null = null;

  private constructor(simulator: SpecSimulator, alpha: PoolAccess, beta: RestoreTarget) {
    this.simulator = simulator;
    this.alpha = alpha;
    this.beta = beta;
  }

  static async start(...options: readonly string[]): Promise<SpecWorld> {
    const simulator = await SpecSimulator.start(...options);
    const [source, target] = [await simulator.describePool('alpha'), await simulator.describePool('beta')];
    const networks = source.networks.map(({ uuid }) => [uuid, target.networks[0]?.uuid ?? ''] as const);
    return new SpecWorld(simulator, await simulator.access('alpha'), {
      pool: await simulator.access('beta'),
      placement: {
        defaultSrUuid: target.srs.find((sr) => sr.shared)?.uuid ?? '',
        disks: {},
        networks: Object.fromEntries(networks),
      },
    });
  }

  get vault(): SpecVault {
    if (this.#vault === null) {
      throw new Error('no test has begun');
    }
    return this.#vault;
  }

  /** Before each test; returns what is to be done after it. */
  async begin(): Promise<() => Promise<void>> {
    await this.simulator.clearFaults();
    const mover = new LocalMover();
    const vault = await SpecVault.create(mover);
    this.mover = mover;
    this.#vault = vault;
    return async () => {
      await mover.close();
      await vault.remove();
    };
  }

  async makeVm(sizes: readonly number[], order: object = {}): Promise<SimulatedVm> {
    const disks = sizes.map((sizeBytes) => ({ sizeBytes }));
    const vm = await this.simulator.post<SimulatedVm>('/vms', { pool: 'alpha', name: 'web', disks, ...order });
    for (const [index, disk] of vm.disks.entries()) {
      const length = Math.min(6 * MIB, disk.sizeBytes / 2);
      const at = { offset: MIB + index * BLOCK, length, randomSeed: `disk ${disk.uuid}`, force: true };
      await this.simulator.post(`/vdis/${disk.uuid}/write`, at);
    }
    return vm;
  }

  async findVm(uuid: string): Promise<SimulatedVm> {
    return this.simulator.get<SimulatedVm>(`/vms/${uuid}`);
  }

  async guestWrites(vdiUuid: string | undefined, offset: number, length: number): Promise<void> {
    const randomSeed = `${offset} ${length}`;
    await this.simulator.post(`/vdis/${vdiUuid ?? ''}/write`, { offset, length, randomSeed, force: true });
  }

  backupOf(vm: SimulatedVm): SpecBackup {
    return new SpecBackup(this.mover, this.vault, this.alpha, vm.uuid);
  }

  restoreOf(restorePointId: string, target: RestoreTarget = this.beta): SpecRestore {
    return new SpecRestore(this.mover, this.vault, target, restorePointId);
  }

  async digests(disks: readonly { readonly vdiUuid: string; readonly snapshotVdiUuid: string }[]) {
    const pairs = disks.map(async (disk) => [disk.vdiUuid, await this.simulator.digest(disk.snapshotVdiUuid)] as const);
    return new Map(await Promise.all(pairs));
  }

  async runBackup(vm: SimulatedVm, base: string | null) {
    const backup = this.backupOf(vm);
    const plan = await backup.plan(base);
    const snapshot = await backup.snapshot();
    const digests = await this.digests(snapshot.disks);
    const disks = await backup.disks(snapshot);
    const point = await backup.commit(snapshot, disks);
    const cleaned = await backup.cleanUp();
    return { plan, snapshot, digests, disks, point, cleaned };
  }

  async expectRestores(restorePointId: string, digests: ReadonlyMap<string, string>): Promise<void> {
    const restore = this.restoreOf(restorePointId);
    const vm = await restore.create();
    await restore.disks(vm);
    const finished = await restore.finish(vm);
    equal(finished.powerState, 'Halted');
    deepEqual((await restore.cleanUp()).removed, []);
    for (const disk of vm.disks) {
      equal(await this.simulator.digest(disk.vdiUuid), digests.get(disk.diskKey));
    }
    await this.simulator.delete(`/vms/${vm.vmUuid}`);
  }

  async expectNothingLeft(pool = 'alpha'): Promise<void> {
    await expectNothingLeft(this.simulator, pool);
  }

  async anchorCount(): Promise<number> {
    return (await this.simulator.leftovers('alpha')).cbtMetadataVdis.length;
  }
}
