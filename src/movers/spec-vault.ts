import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileKeyRing, MemoryLeases } from '../engine/index.ts';
import { systemClock } from '../kernel/clock.ts';
import type { PoolAccess, VaultAccess } from './access.ts';
import type {
  CommittedRestorePoint,
  DiskBackupResult,
  FullReadReason,
  SessionRef,
  SnapshotResult,
} from './backup-commands.ts';
import type { LocalMover } from './local-mover.ts';
import type { VaultCall } from './port.ts';
import type { CreatedVm, Placement } from './restore-commands.ts';

/** A vault in a temporary folder, and the steps of a job as a workflow would order them: for specs only. */
export class SpecVault {
  readonly access: VaultAccess;
  readonly #call: Omit<VaultCall, 'signal'>;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.access = {
      tenantId: randomUUID(),
      vaultId: randomUUID(),
      location: { kind: 'directory', path: join(folder, 'vault') },
    };
    this.#call = { keyRing: new FileKeyRing(join(folder, 'keys')), leases: new MemoryLeases(systemClock) };
  }

  static async create(mover: LocalMover): Promise<SpecVault> {
    const vault = new SpecVault(await mkdtemp(join(tmpdir(), 'holdfast-mover-vault-')));
    await mkdir(vault.access.location.path);
    await mover.createVault({ vault: vault.access }, vault.call());
    return vault;
  }

  call(signal: AbortSignal = new AbortController().signal): VaultCall {
    return { ...this.#call, signal };
  }

  async countPacks(): Promise<number> {
    const found = await readdir(join(this.access.location.path, 'data'), { recursive: true, withFileTypes: true });
    return found.filter((entry) => entry.isFile()).length;
  }

  /** As if its mount had gone. */
  async hide(): Promise<void> {
    await rename(this.access.location.path, `${this.access.location.path}.hidden`);
  }

  async show(): Promise<void> {
    await rename(`${this.access.location.path}.hidden`, this.access.location.path);
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}

export class SpecBackup {
  readonly jobId: string;
  readonly snapshotName: string;
  readonly #mover: LocalMover;
  readonly #vault: SpecVault;
  readonly #pool: PoolAccess;
  readonly #vmUuid: string;
  #reasons = new Map<string, FullReadReason | null>();
  session: SessionRef;
  changedBlocks = true;
  pauseForConsistency = true;

  constructor(
    mover: LocalMover,
    vault: SpecVault,
    pool: PoolAccess,
    vmUuid: string,
    names: { readonly jobId: string; readonly snapshotName: string } = newNames(),
  ) {
    this.jobId = names.jobId;
    this.snapshotName = names.snapshotName;
    this.#mover = mover;
    this.#vault = vault;
    this.#pool = pool;
    this.#vmUuid = vmUuid;
    this.session = { sessionId: this.jobId, restorePointId: randomUUID(), baseRestorePointId: null };
  }

  /** The same job's next attempt, by another mover. */
  continuedBy(mover: LocalMover): SpecBackup {
    const next = new SpecBackup(mover, this.#vault, this.#pool, this.#vmUuid, this);
    next.session = this.session;
    next.#reasons = this.#reasons;
    return next;
  }

  async plan(baseRestorePointId: string | null) {
    const { changedBlocks } = this;
    const plan = await this.#mover.planBackup(
      { ...this.#places(), vmUuid: this.#vmUuid, baseRestorePointId, changedBlocks },
      this.#vault.call(),
    );
    this.session = { ...this.session, baseRestorePointId: plan.baseRestorePointId };
    this.#reasons = new Map(plan.disks.map((disk) => [disk.vdiUuid, disk.reason]));
    return plan;
  }

  async snapshot(signal?: AbortSignal): Promise<SnapshotResult> {
    const { jobId, snapshotName, changedBlocks, pauseForConsistency } = this;
    return this.#mover.snapshotVm(
      {
        pool: this.#pool,
        vaultId: this.#vault.access.vaultId,
        vmUuid: this.#vmUuid,
        jobId,
        snapshotName,
        changedBlocks,
        pauseForConsistency,
      },
      this.#vault.call(signal),
    );
  }

  async disks(snapshot: SnapshotResult, signal?: AbortSignal): Promise<DiskBackupResult[]> {
    const { session, changedBlocks } = this;
    const call = this.#vault.call(signal);
    const work = snapshot.disks.map(async (disk) =>
      this.#mover.backupDisk(
        { ...this.#places(), session, disk, changedBlocks, plannedReason: this.#reasons.get(disk.vdiUuid) ?? null },
        call,
      ),
    );
    await Promise.allSettled(work);
    return Promise.all(work);
  }

  async commit(snapshot: SnapshotResult, disks: readonly DiskBackupResult[]): Promise<CommittedRestorePoint> {
    const { session, jobId } = this;
    return this.#mover.commitRestorePoint(
      { ...this.#places(), session, jobId, vmId: randomUUID(), snapshot, disks },
      this.#vault.call(),
    );
  }

  async cleanUp() {
    const { session, jobId, snapshotName } = this;
    return this.#mover.cleanUpBackup(
      { ...this.#places(), session, jobId, vmUuid: this.#vmUuid, snapshotName },
      this.#vault.call(),
    );
  }

  #places() {
    return { pool: this.#pool, vault: this.#vault.access };
  }
}

export class SpecRestore {
  readonly jobId = randomUUID();
  readonly #mover: LocalMover;
  readonly #vault: SpecVault;
  readonly #pool: PoolAccess;
  readonly #placement: Placement;
  readonly #restorePointId: string;

  constructor(
    mover: LocalMover,
    vault: SpecVault,
    target: { readonly pool: PoolAccess; readonly placement: Placement },
    restorePointId: string,
  ) {
    this.#mover = mover;
    this.#vault = vault;
    this.#pool = target.pool;
    this.#placement = target.placement;
    this.#restorePointId = restorePointId;
  }

  async plan() {
    return this.#mover.planRestore({ ...this.#what(), placement: this.#placement }, this.#vault.call());
  }

  async create(): Promise<CreatedVm> {
    return this.#mover.createVm(
      { ...this.#what(), placement: this.#placement, jobId: this.jobId, name: null },
      this.#vault.call(),
    );
  }

  async disks(vm: CreatedVm, signal?: AbortSignal) {
    const call = this.#vault.call(signal);
    const work = vm.disks.map(async (disk) =>
      this.#mover.restoreDisk({ ...this.#what(), jobId: this.jobId, disk }, call),
    );
    await Promise.allSettled(work);
    return Promise.all(work);
  }

  async finish(vm: CreatedVm) {
    return this.#mover.finishRestore({ pool: this.#pool, jobId: this.jobId, vmUuid: vm.vmUuid }, this.#vault.call());
  }

  async cleanUp() {
    return this.#mover.cleanUpRestore({ ...this.#what(), jobId: this.jobId }, this.#vault.call());
  }

  #what() {
    return { pool: this.#pool, vault: this.#vault.access, restorePointId: this.#restorePointId };
  }
}

function newNames() {
  return { jobId: randomUUID(), snapshotName: `holdfast ${randomUUID()}` };
}
