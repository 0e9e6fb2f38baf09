import { describe, expect, it } from 'vitest';
import { ConnectionBudget } from './connection-budget.ts';

describe('the connections to a host', () => {
  it('are given to those who wait in the order in which they came', async () => {
    const budget = new ConnectionBudget(1);
    await budget.take('a');
    const given: number[] = [];
    const waiting = [1, 2, 3].map(async (who) => {
      await budget.take('a');
      given.push(who);
      budget.release('a');
    });
    expect(budget.hasPlace('a')).toBe(false);
    expect(budget.hasPlace('b')).toBe(true);
    budget.release('a');
    await Promise.all(waiting);
    expect(given).toEqual([1, 2, 3]);
    expect(budget.hasPlace('a')).toBe(true);
  });

  it('are not waited for without end, and it is said what had them', async () => {
    const budget = new ConnectionBudget(2, 20);
    await budget.take('10.0.0.5');
    await budget.take('10.0.0.5');
    await expect(budget.take('10.0.0.5')).rejects.toMatchObject({
      code: 'NBD_UNAVAILABLE',
      message: expect.stringMatching(
        /10\.0\.0\.5 had no place .*: 2 connections to other disks are open, 0 more disks wait\./,
      ),
    });
    budget.release('10.0.0.5');
    await budget.take('10.0.0.5');
    expect(budget.hasPlace('10.0.0.5')).toBe(false);
  });

  it('are not waited for by who was told to stop', async () => {
    const budget = new ConnectionBudget(1, 60_000);
    await budget.take('a');
    await expect(budget.take('a', AbortSignal.timeout(1))).rejects.toMatchObject({ code: 'CANCELLED' });
    budget.release('a');
    expect(budget.hasPlace('a')).toBe(true);
  });
});
