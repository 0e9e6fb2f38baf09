import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SimulatedVm } from '../clients/simulator.ts';
import { type NbdInfo, XapiClient } from '../clients/xapi.ts';
import { digestOf, findProgram } from '../processes/tools.ts';
import { type Account, mustHold } from '../story.ts';
import type { CustomerWorld } from '../world.ts';

/** SHA-256 of each disk at one moment, by the disk's position. None of it was computed by our code. */
export type Reference = ReadonlyMap<string, string>;

/** Clones of a snapshot's disks, by the disk's position. */
export type DiskCopies = ReadonlyMap<string, { readonly vdi: string; readonly ref: string }>;

/**
 * Waits for the snapshot that the backup takes, and clones its disks there and then, as an administrator could: the
 * guest goes on writing and the snapshot goes away, and the clones stay as the disks were.
 */
export async function copySnapshot(world: CustomerWorld, until: AbortSignal): Promise<DiskCopies> {
  const snapshot = await findSnapshot(world, until);
  const xapi = await XapiClient.logIn(world.simulator.pool('alpha'));
  const copies = new Map<string, { vdi: string; ref: string }>();
  for (const { uuid, device } of snapshot.disks) {
    const ref = await xapi.call<string>('VDI.clone', await xapi.call<string>('VDI.get_by_uuid', uuid));
    copies.set(device, { ref, vdi: await xapi.call<string>('VDI.get_uuid', ref) });
  }
  await xapi.logOut();
  return copies;
}

/** The simulator's own digest of the copies; where nbdcopy is installed, it reads them over NBD and has to agree. */
export async function referenceOf(world: CustomerWorld, copies: DiskCopies, account: Account): Promise<Reference> {
  const xapi = await XapiClient.logIn(world.simulator.pool('alpha'));
  const nbdcopy = findProgram('nbdcopy');
  const reference = new Map<string, string>();
  for (const [device, { vdi, ref }] of copies) {
    const digest = await world.simulator.digest(vdi);
    if (nbdcopy !== null) {
      const [info] = await xapi.call<NbdInfo[]>('VDI.get_nbd_info', ref);
      mustHold(
        info !== undefined && (await digestOf(nbdcopy, [await uriOf(world, info), '-'])) === digest,
        `nbdcopy reads of disk ${device} what the simulator says is on it`,
      );
    }
    reference.set(device, digest);
    await destroyCopy(xapi, ref);
  }
  await xapi.logOut();
  const by = nbdcopy === null ? "the simulator's digest" : "nbdcopy and the simulator's digest";
  account.detail = `${reference.size} disks as they were at the snapshot, by ${by}`;
  return reference;
}

/** Every disk of the VM has to be what the reference says, bit for bit. */
export async function compare(world: CustomerWorld, vm: SimulatedVm, reference: Reference): Promise<void> {
  mustHold(vm.disks.length === reference.size, `${vm.name} has ${reference.size} disks`);
  for (const { uuid, device } of vm.disks) {
    const digest = await world.simulator.digest(uuid);
    mustHold(digest === reference.get(device), `disk ${device} of ${vm.name} is byte for byte the source's`);
  }
}

async function findSnapshot({ simulator, guest }: CustomerWorld, until: AbortSignal): Promise<SimulatedVm> {
  const known = new Set((await simulator.vms()).map(({ uuid }) => uuid));
  for (;;) {
    const fresh = (await simulator.vms()).find(
      ({ isSnapshot, uuid, disks }) => isSnapshot && !known.has(uuid) && disks.length === guest.disks.length,
    );
    if (fresh !== undefined) {
      return fresh;
    }
    until.throwIfAborted();
    await delay(20);
  }
}

async function uriOf({ folder }: CustomerWorld, info: NbdInfo): Promise<string> {
  const authorities = join(folder, 'nbd-authorities');
  await mkdir(authorities, { recursive: true });
  await writeFile(join(authorities, 'ca-cert.pem'), info.cert);
  const { address, port, exportname } = info;
  return `nbds://${address}:${port}/${encodeURIComponent(exportname)}?tls-certificates=${authorities}`;
}

/** A disk stays in use for a moment after it was read. */
async function destroyCopy(xapi: XapiClient, ref: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await xapi.call('VDI.destroy', ref);
      return;
    } catch (error) {
      if (attempt === 40) {
        throw error;
      }
      await delay(250);
    }
  }
}
