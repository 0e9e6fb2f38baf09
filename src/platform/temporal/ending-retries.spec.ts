import type { GrpcRetryOptions } from '@temporalio/client';
import { expect, it } from 'vitest';
import { EndingRetries } from './ending-retries.ts';

const AWAY = { code: 14, details: 'No connection established' } as Parameters<GrpcRetryOptions['retryableDecider']>[1];

it('lets a retry that is waiting come due before it says that none is, and allows no other', async () => {
  const retries = new EndingRetries();
  expect(retries.retryableDecider(1, AWAY)).toBe(true);
  let due = false;
  setTimeout(() => (due = true), retries.delayFunction(1, AWAY));
  await retries.end();
  expect(due).toBe(true);
  expect(retries.retryableDecider(1, AWAY)).toBe(false);
});
