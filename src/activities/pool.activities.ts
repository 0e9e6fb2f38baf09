import { Inject, Injectable } from '@nestjs/common';
import { type OpenedPool, PoolInventoryService } from '../control/pools/pool-inventory.service.ts';
import type { PoolAccess } from '../movers/port.ts';
import type { PoolInventoried, PoolJobRef, PoolSiteActivities } from '../../workflows/contract/index.ts';
import { moverAttempt } from './mover-attempt.ts';
import { MOVER, type MoverPort } from './mover.ts';

@Injectable()
export class PoolActivities implements PoolSiteActivities {
  constructor(
    @Inject(MOVER) private readonly mover: MoverPort,
    private readonly pools: PoolInventoryService,
  ) {}

  async probePool(ref: PoolJobRef): Promise<void> {
    const pool = toAccess(await this.pools.openPool(ref));
    // At the first contact nothing is pinned yet: what the hosts show is reported, and kept from then on.
    const certificates = pool.certificates.length === 0 ? null : pool.certificates;
    const probe = await moverAttempt(
      async (signal) => await this.mover.probePool({ pool: { ...pool, certificates } }, { signal }),
    );
    await this.pools.storeProbe(ref, probe);
  }

  async readInventory(ref: PoolJobRef): Promise<PoolInventoried> {
    const pool = toAccess(await this.pools.openPool(ref));
    const inventory = await moverAttempt(async (signal) => await this.mover.readInventory({ pool }, { signal }));
    return await this.pools.storeInventory(ref, inventory);
  }
}

function toAccess({ url, username, password, certificates, ownMachine }: OpenedPool): PoolAccess {
  return {
    address: url,
    username,
    password,
    certificates: certificates.map((pin) => ({ hostUuid: null, ...pin })),
    ownMachine,
  };
}
