import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { KIB, MIB } from '../../src/kernel/bytes.ts';
import { LocalMover } from '../../src/movers/local-mover.ts';
import type { PoolAccess } from '../../src/movers/port.ts';
import type { SimulatedVm } from '../../src/xen/spec-simulated.ts';
import { SpecSimulator } from '../../src/xen/spec-simulator.ts';
import { SpecBackup, SpecVault } from '../../src/movers/spec-vault.ts';
import { JsonClient } from '../simulator/json-client.ts';
import { isInstalled, run } from '../simulator/programs.ts';
import { toBenchRow, type BenchRow } from './bench-row.ts';
import { numbersFrom, writeImage } from './engine-image.ts';

const CHANGED_PIECES = 128;
const PIECE_BYTES = 64 * KIB;

interface NbdInfo {
  readonly exportname: string;
  readonly address: string;
  readonly port: number;
  readonly cert: string;
}

interface PathRun {
  readonly full: number;
  readonly incremental: number;
  readonly incrementalRead: number;
  /** Seconds of the simulator alone: the same disk read by a client that keeps nothing; null where it isn't installed. */
  readonly nbdcopy: number | null;
}

/** The whole path from a simulated pool over NBD into a vault, beside what reading alone costs over the same socket. */
export async function pathBench(imageBytes = 512 * MIB, runs = 3): Promise<readonly BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-path-bench-'));
  const simulator = await SpecSimulator.start();
  try {
    const image = join(folder, 'image');
    await writeImage(image, imageBytes, 1);
    const pool = await simulator.access('alpha');
    const measured: PathRun[] = [];
    for (let round = 0; round < runs; round += 1) {
      measured.push(await runOnce(simulator, pool, image, round));
    }
    return toRows(measured, imageBytes);
  } finally {
    await simulator.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function toRows(measured: readonly PathRun[], imageBytes: number): BenchRow[] {
  const rate = (bytes: number, seconds: number): number => bytes / seconds / 1e6;
  const alone = measured.flatMap((run) => (run.nbdcopy === null ? [] : [rate(imageBytes, run.nbdcopy)]));
  const against = alone.length === 0 ? 'nbdcopy to nowhere (not installed)' : 'nbdcopy to nowhere';
  const full = measured.map((run) => rate(imageBytes, run.full));
  const incremental = measured.map((run) => rate(run.incrementalRead, run.incremental));
  return [
    toBenchRow({ name: 'path: full backup over NBD', unit: 'MB/s', runs: full }, against, alone),
    toBenchRow(
      { name: 'path: incremental over NBD, of the bytes it reads', unit: 'MB/s', runs: incremental },
      against,
      alone,
    ),
  ];
}

async function runOnce(simulator: SpecSimulator, pool: PoolAccess, image: string, round: number): Promise<PathRun> {
  const order = { pool: 'alpha', name: `bench ${round}`, disks: [{ image }] };
  const vm = await simulator.post<SimulatedVm>('/vms', order);
  const mover = new LocalMover();
  const vault = await SpecVault.create(mover);
  try {
    const first = new SpecBackup(mover, vault, pool, vm.uuid);
    const full = await timeBackup(first, null);
    const nbdcopy = await timeNbdcopy(pool, vm, dirname(image));
    await changeDisk(simulator, vm, round);
    const incremental = await timeBackup(new SpecBackup(mover, vault, pool, vm.uuid), first.session.restorePointId);
    return {
      full: full.seconds,
      incremental: incremental.seconds,
      incrementalRead: incremental.bytesRead,
      nbdcopy,
    };
  } finally {
    await mover.close();
    await vault.remove();
    await simulator.delete(`/vms/${vm.uuid}`);
  }
}

async function timeBackup(backup: SpecBackup, base: string | null): Promise<{ seconds: number; bytesRead: number }> {
  await backup.plan(base);
  const snapshot = await backup.snapshot();
  const start = performance.now();
  const disks = await backup.disks(snapshot);
  await backup.commit(snapshot, disks);
  const seconds = (performance.now() - start) / 1000;
  await backup.cleanUp();
  return { seconds, bytesRead: disks.reduce((sum, disk) => sum + disk.bytesRead, 0) };
}

async function changeDisk(simulator: SpecSimulator, vm: SimulatedVm, round: number): Promise<void> {
  const disk = vm.disks[0];
  if (disk === undefined) {
    throw new Error('the bench VM has no disk');
  }
  const next = numbersFrom(round + 11);
  for (let i = 0; i < CHANGED_PIECES; i += 1) {
    const offset = next(disk.sizeBytes / PIECE_BYTES) * PIECE_BYTES;
    await simulator.post(`/vdis/${disk.uuid}/write`, { offset, length: PIECE_BYTES, randomSeed: `${round} ${i}` });
  }
}

/** Reads a snapshot of the disk with a client that we did not write, over the same server. */
async function timeNbdcopy(pool: PoolAccess, vm: SimulatedVm, folder: string): Promise<number | null> {
  if (!isInstalled('nbdcopy')) {
    return null;
  }
  const client = await JsonClient.login({ url: pool.address, username: pool.username, password: pool.password });
  const vdi = await client.call<string>('VDI.get_by_uuid', vm.disks[0]?.uuid);
  const snapshot = await client.call<string>('VDI.snapshot', vdi);
  const [info] = await client.call<NbdInfo[]>('VDI.get_nbd_info', snapshot);
  if (info === undefined) {
    throw new Error('the pool offers no NBD');
  }
  await writeFile(join(folder, 'ca-cert.pem'), info.cert);
  const authority = `${info.address}:${info.port}`;
  const uri = `nbds://${authority}/${encodeURIComponent(info.exportname)}?tls-certificates=${folder}`;
  const start = performance.now();
  await run('nbdcopy', [uri, 'null:']);
  const seconds = (performance.now() - start) / 1000;
  await client.call('session.logout');
  return seconds;
}
