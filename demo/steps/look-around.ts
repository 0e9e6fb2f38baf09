import type { PoolLeftovers } from '../clients/simulator.ts';
import { type Account, mustHold } from '../story.ts';
import type { CustomerWorld } from '../world.ts';

/**
 * What is left in the pools: of each disk the one bitmap that the next incremental starts from, and nothing else. No
 * snapshot of a whole VM, no attachment, no connection.
 */
export async function lookAround({ simulator, guest }: CustomerWorld, account: Account): Promise<void> {
  const pools = await simulator.leftovers();
  const anchors = pools.reduce((sum, { cbtMetadataVdis }) => sum + cbtMetadataVdis.length, 0);
  for (const left of pools) {
    mustHold(left.snapshotVms.length === 0, `pool ${left.pool} keeps no snapshot of a VM`);
    mustHold(left.snapshotVdis.length === 0, `pool ${left.pool} keeps no snapshot of a disk`);
    mustHold(left.controlDomainVbds.length === 0, `pool ${left.pool} has no disk attached to a control domain`);
    mustHold(left.nbdConnections === 0, `pool ${left.pool} has no open NBD connection`);
  }
  mustHold(anchors === guest.disks.length, `${guest.disks.length} disks have one anchor each`);
  account.detail = `nothing but ${anchors} changed-block anchors: ${names(pools)} are as they were`;
}

function names(pools: readonly PoolLeftovers[]): string {
  return pools.map(({ pool }) => pool).join(' and ');
}
