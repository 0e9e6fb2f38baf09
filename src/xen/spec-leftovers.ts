import { expect } from 'vitest';
import type { SpecSimulator } from './spec-simulator.ts';

const NOTHING = { snapshotVms: [], snapshotVdis: [], controlDomainVbds: [], tasks: [], nbdConnections: 0 };

/**
 * What must not be there after a job: everything but the anchors of the next incremental. It is waited for, since a
 * pool lets go of an attachment some time after the stream has ended.
 */
export async function expectNothingLeft(simulator: SpecSimulator, pool: string): Promise<void> {
  const look = async (): Promise<typeof NOTHING> => {
    const left = await simulator.leftovers(pool);
    return Object.fromEntries(Object.entries(left).filter(([name]) => name in NOTHING)) as typeof NOTHING;
  };
  await expect.poll(look).toEqual(NOTHING);
}
