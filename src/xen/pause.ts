import { type Clock, systemClock } from '../kernel/clock.ts';
import { removeStamp, setStamps, STAMP } from './stamps.ts';
import type { FoundVm } from './vm-disks.ts';
import type { XapiConnection } from './xapi-connection.ts';
import { isObjectGone } from './xapi-errors.ts';

const UNPAUSE_ATTEMPTS = 20;
const UNPAUSE_DELAY_MS = 500;

/**
 * Does the work while a running VM is paused. The unpause is tried until it holds and can't be cancelled; should this
 * process die, the stamp tells `releasePause` of the job's clean-up that the VM is still waiting.
 */
export async function withPaused<T>(
  connection: XapiConnection,
  vm: FoundVm,
  jobId: string,
  work: () => Promise<T>,
  clock: Clock = systemClock,
): Promise<T> {
  await setStamps(connection, { className: 'VM', ref: vm.ref }, { [STAMP.pausedBy]: jobId });
  try {
    await connection.call('VM.pause', [vm.ref]);
    return await work();
  } finally {
    await unpause(connection, vm.ref, clock);
  }
}

/** Lets a VM go on that this job has paused and nobody has released since. */
export async function releasePause(
  connection: XapiConnection,
  vm: FoundVm,
  jobId: string,
  clock: Clock = systemClock,
): Promise<boolean> {
  if (vm.record.other_config[STAMP.pausedBy] !== jobId) {
    return false;
  }
  await unpause(connection, vm.ref, clock);
  return true;
}

async function unpause(connection: XapiConnection, vmRef: string, clock: Clock): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const state = await connection.callForString('VM.get_power_state', [vmRef]);
      if (state === 'Paused') {
        await connection.call('VM.unpause', [vmRef]);
      }
      await removeStamp(connection, { className: 'VM', ref: vmRef }, STAMP.pausedBy);
      return;
    } catch (error) {
      if (isObjectGone(error)) {
        return;
      }
      if (attempt >= UNPAUSE_ATTEMPTS) {
        throw error;
      }
      await clock.sleep(UNPAUSE_DELAY_MS);
    }
  }
}
