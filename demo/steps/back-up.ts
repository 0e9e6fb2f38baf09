import { bytes } from '../console/format.ts';
import { type Account, mustHold } from '../story.ts';
import type { CustomerWorld } from '../world.ts';
import { copySnapshot, type DiskCopies } from './reference.ts';
import { type JobResult, waitForJob } from './wait-for-job.ts';

export interface BackedUp {
  readonly restorePointId: string;
  /** The disks as they were at its moment, kept in the pool by somebody else. */
  readonly copies: DiskCopies;
  /** Read from the pool by the simulator's own count, bytes. */
  readonly bytesRead: number;
}

interface Point {
  readonly disks: readonly { readonly name: string; readonly path: string; readonly fullReason: string | null }[];
}

const POINT = `query ($id: ID!) { restorePoint(id: $id) { disks { name path fullReason } } }`;

/** One backup by the customer's token, while somebody else keeps a copy of what the disks were at its moment. */
export async function backUp(world: CustomerWorld, account: Account): Promise<BackedUp> {
  const { customer, simulator, vmId, vaultId, teller } = world;
  await simulator.forgetLog();
  const done = new AbortController();
  const copying = copySnapshot(world, done.signal);
  copying.catch(() => undefined); // thrown again below, once the backup has ended
  const { job } = await customer.api.mutate<{ job: { id: string } }>('backupVm', 'job { id }', { vmId, vaultId });
  const result = await waitForJob(customer.api, job.id, teller).finally(() => done.abort());
  const bytesRead = await simulator.bytesRead();
  const restorePointId = checkResult(result);
  const copies = await copying;
  account.bytesRead = bytesRead;
  account.bytesStored = Number(result?.bytesStored ?? 0);
  const { restorePoint } = await customer.api.query<{ restorePoint: Point }>(POINT, { id: restorePointId });
  const how = restorePoint.disks.map(({ name, path, fullReason }) => `${name} ${fullReason ?? path.toLowerCase()}`);
  const stored = bytes(account.bytesStored);
  account.detail = `${result?.consistency} consistent; ${how.join(', ')}; ${bytes(bytesRead)} read, ${stored} stored`;
  return { restorePointId, copies, bytesRead };
}

function checkResult(result: JobResult | null): string {
  const restorePointId = result?.restorePointId ?? null;
  if (restorePointId === null) {
    throw new Error('the backup succeeded without a restore point');
  }
  return restorePointId;
}

/** An incremental reads what the guest wrote, in the pool's blocks of 64 KiB, and a few samples; not the disks. */
export function checkIncremental(full: BackedUp, incremental: BackedUp, bytesWritten: number): void {
  const block = 64 * 1024;
  // A piece that was written may lie across two blocks; samples are read to prove that the change list is true.
  const most = bytesWritten * 4 + 1024 * block;
  mustHold(incremental.bytesRead > 0, 'the incremental read something');
  mustHold(incremental.bytesRead < most, `the incremental read at most ${bytes(most)}`);
  mustHold(incremental.bytesRead < full.bytesRead / 2, 'the incremental read far less than the full backup');
}
