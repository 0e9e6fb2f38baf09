import { bytes } from '../console/format.ts';
import { type Account, mustHold } from '../story.ts';
import type { CustomerWorld, Placement } from '../world.ts';
import { compare, type Reference } from './reference.ts';
import { type JobResult, waitForJob } from './wait-for-job.ts';

/** The newest restore point becomes a VM in the other pool, under a replication plan. */
export async function replicate(world: CustomerWorld, reference: Reference, account: Account): Promise<void> {
  const { customer, vmId, vaultId, teller } = world;
  const { replicationPlan } = await customer.api.mutate<{ replicationPlan: { id: string } }>(
    'createReplicationPlan',
    'replicationPlan { id }',
    { name: 'Stand-by in beta', vmId, vaultId, ...placeIn(world.beta) },
  );
  const { job } = await customer.api.mutate<{ job: { id: string } }>('replicateVm', 'job { id }', {
    replicationPlanId: replicationPlan.id,
  });
  const result = await waitForJob(customer.api, job.id, teller);
  await check(world, { result, pool: 'beta', reference }, account);
}

/** An older restore point becomes a VM beside the running original. */
export async function restoreBeside(
  world: CustomerWorld,
  point: { readonly restorePointId: string; readonly reference: Reference },
  account: Account,
): Promise<void> {
  const { customer, teller, guest } = world;
  const { job } = await customer.api.mutate<{ job: { id: string } }>('restoreVm', 'job { id }', {
    restorePointId: point.restorePointId,
    name: `${guest.name} as it was`,
    ...placeIn(world.alpha),
  });
  const result = await waitForJob(customer.api, job.id, teller);
  await check(world, { result, pool: 'alpha', reference: point.reference }, account);
  const original = await world.simulator.vm(guest.uuid);
  mustHold(original.powerState === 'Running', 'the original still runs');
  mustHold(
    original.disks.every(({ uuid }, i) => uuid === guest.disks[i]?.uuid),
    'the original still has its own disks',
  );
}

function placeIn({ poolId, poolGrantId, storageRepositories, networks }: Placement): Record<string, unknown> {
  return {
    poolId,
    poolGrantId,
    storageRepositoryId: storageRepositories[0]?.id,
    networks: [{ fromNetworkUuid: null, toNetworkId: networks[0]?.id }],
  };
}

async function check(
  world: CustomerWorld,
  { result, pool, reference }: { result: JobResult | null; pool: string; reference: Reference },
  account: Account,
): Promise<void> {
  const uuid = result?.restoredVmUuid ?? null;
  if (uuid === null) {
    throw new Error('the job succeeded without a VM');
  }
  const vm = await world.simulator.vm(uuid);
  const { guest } = world;
  mustHold(vm.pool === pool, `the VM is in pool ${pool}`);
  mustHold(uuid !== guest.uuid, 'the VM has a UUID of its own');
  mustHold(vm.powerState === 'Halted', 'the VM is switched off');
  mustHold(vm.macs.length === guest.macs.length, 'the VM has as many interfaces');
  mustHold(!vm.macs.some((mac) => guest.macs.includes(mac)), 'the VM has MAC addresses of its own');
  await compare(world, vm, reference);
  const written = bytes(Number(result?.bytesWritten ?? 0));
  account.detail = `${vm.name} waits in ${pool}, halted, new UUID and MACs, ${written} written; every disk is the source's`;
}
