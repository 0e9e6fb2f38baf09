import { expect, test } from 'vitest';
import { LEASE_TIMEOUT_MS } from '../ports/leases.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { MemoryLeases } from './memory-leases.ts';

const lease = { repositoryId: 'a', sessionId: 'b' };

test('a lease that was renewed here lives until its time has run out', async () => {
  const clock = new ManualClock();
  const leases = new MemoryLeases(clock);
  await leases.beat(lease);
  clock.advance(LEASE_TIMEOUT_MS - 1);
  expect(await leases.isAlive(lease)).toBe(true);
  clock.advance(1);
  expect(await leases.isAlive(lease)).toBe(false);
  await leases.beat(lease);
  expect(await leases.isAlive(lease)).toBe(true);
});

test('one that somebody else may be renewing is dead only after it was watched for as long', async () => {
  const clock = new ManualClock();
  const leases = new MemoryLeases(clock);
  clock.advance(10 * LEASE_TIMEOUT_MS);
  expect(await leases.isAlive(lease)).toBe(true);
  clock.advance(LEASE_TIMEOUT_MS - 1);
  expect(await leases.isAlive(lease)).toBe(true);
  clock.advance(1);
  expect(await leases.isAlive(lease)).toBe(false);
});
