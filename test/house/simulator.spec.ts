import { expect, it } from 'vitest';
import { SpecSimulator } from '../../src/xen/spec-simulator.ts';

it('starts the simulator as a process with two pools, one of them of two hosts', async () => {
  const simulator = await SpecSimulator.start();
  expect(simulator.ready.control).toMatch(/^http:\/\/127\./);
  expect(simulator.ready.pools.map((pool) => pool.hosts.length)).toEqual([2, 1]);
  expect(simulator.ready.pools[0]?.certificate).toContain('BEGIN CERTIFICATE');
  expect(await simulator.stop()).toBe(0);
});
