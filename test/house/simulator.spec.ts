import { expect, it } from 'vitest';
import { startSimulator } from '../support/simulator.ts';

it('starts the simulator as a process with two pools, one of them of two hosts', async () => {
  const simulator = await startSimulator();
  expect(simulator.ready.control).toMatch(/^http:\/\/127\./);
  expect(simulator.ready.pools.map((pool) => pool.hosts.length)).toEqual([2, 1]);
  expect(simulator.ready.pools[0]?.certificate).toContain('BEGIN CERTIFICATE');
  expect(await simulator.stop()).toMatchObject({ code: 0 });
});
