import { Inject, Injectable } from '@nestjs/common';
import { PoolInventoryService } from '../control/pools/pool-inventory.service.ts';
import { siteQueue, type PoolControlActivities, type PoolJobRef } from '../../workflows/contract/index.ts';
import { TASK_QUEUE_PREFIX } from './mover.ts';

@Injectable()
export class PoolRowActivities implements PoolControlActivities {
  constructor(
    private readonly pools: PoolInventoryService,
    @Inject(TASK_QUEUE_PREFIX) private readonly prefix: string,
  ) {}

  async locatePool(pool: PoolJobRef): Promise<{ readonly siteQueue: string }> {
    const { siteId } = await this.pools.locatePool(pool);
    return { siteQueue: siteQueue(this.prefix, siteId) };
  }

  async markPoolFailed({ code, message, ...pool }: PoolJobRef & { code: string; message: string }): Promise<void> {
    await this.pools.markPoolFailed(pool, code, message);
  }
}
