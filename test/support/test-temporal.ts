import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';

export interface TestTemporal {
  readonly address: string;
  readonly namespace: string;
  /** Put before every task queue's name, and so kept apart from all other tests on the same server. */
  readonly taskQueuePrefix: string;
}

/** The run's Temporal server, with task queues of the test's own. */
export function testTemporal(): TestTemporal {
  return {
    address: inject('temporalAddress'),
    namespace: inject('temporalNamespace'),
    taskQueuePrefix: `test-${randomUUID().slice(0, 8)}/`,
  };
}
