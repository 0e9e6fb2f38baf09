import { addCustomers } from './steps/add-customers.ts';
import { backUp, checkIncremental } from './steps/back-up.ts';
import { bill } from './steps/bill.ts';
import { replicate, restoreBeside } from './steps/bring-back.ts';
import { BusyGuest } from './steps/busy-guest.ts';
import { handOver } from './steps/hand-over.ts';
import { listenForUsage } from './steps/listen-for-usage.ts';
import { lookAround } from './steps/look-around.ts';
import { makeGuest } from './steps/make-guest.ts';
import { referenceOf } from './steps/reference.ts';
import { registerPools } from './steps/register-pools.ts';
import { beStrange, collectIds } from './steps/stranger.ts';
import type { Story } from './story.ts';
import type { Customer, CustomerWorld, World } from './world.ts';

/** What is left to look at. */
export interface Told {
  readonly acme: Customer;
  readonly zenith: Customer;
  readonly vmId: string;
}

const MIB = 1024 * 1024;

/** The main job, from a customer that signs on to the bill. */
export async function tell(story: Story, world: World): Promise<Told> {
  const { provider } = world;
  const guest = await story.step('Make a VM with two real file systems', async (account) => {
    return await makeGuest(world, account);
  });
  const { acme, zenith } = await story.step('Take two customers on', async (account) => {
    return await addCustomers(provider, account);
  });
  await story.step('Let the billing system listen', async (account) => await listenForUsage(world, account));
  const pools = await story.step('Register both pools', async (account) => await registerPools(world, account));
  const given = await story.step('Hand the VM, rights and storage over', async (account) => {
    return await handOver(world, { pools, customer: acme, guest }, account);
  });
  await protect(story, { ...world, ...given, customer: acme, guest });
  await story.step('The other customer tries to read it all', async (account) => {
    const own = [zenith.tenantId, ...(await collectIds([zenith.api]))];
    await beStrange(zenith.api, { wanted: await collectIds([provider, acme.api]), own }, account);
  });
  await story.step('The bill', async (account) => await bill(world, account));
  return { acme, zenith, vmId: given.vmId };
}

/** Two backups of a guest that never rests, and back: to the other pool, and beside the original. */
async function protect(story: Story, world: CustomerWorld): Promise<void> {
  const busy = new BusyGuest(world);
  try {
    const full = await story.step('Back the VM up, in full', async (account) => await backUp(world, account));
    const first = await story.step('What the disks were then', async (account) => {
      return await referenceOf(world, full.copies, account);
    });
    await busy.until(busy.bytesWritten + 2 * MIB);
    const incremental = await story.step('Back up what changed', async (account) => {
      const point = await backUp(world, account);
      checkIncremental(full, point, busy.bytesWritten);
      return point;
    });
    const second = await story.step('What the disks were by then', async (account) => {
      return await referenceOf(world, incremental.copies, account);
    });
    await story.step('Replicate into the other pool', async (account) => await replicate(world, second, account));
    await story.step('Restore beside the original', async (account) => {
      await restoreBeside(world, { restorePointId: full.restorePointId, reference: first }, account);
    });
    await story.step('Look at what is left in the pools', async (account) => await lookAround(world, account));
  } finally {
    await busy.stop();
  }
}
