import { ActivityFailure, ApplicationFailure, CancelledFailure, RetryState } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../kernel/errors.ts';
import { fromFailure, toFailure } from './failure.ts';

describe('errors on their way through Temporal', () => {
  it('keep code, message, hint and data, there and back', () => {
    const error = new AppError('SR_FULL', 'The SR nfs1 is full.', { hint: 'Free space.', data: { sr: 'nfs1' } });
    const failure = toFailure(error);
    expect(failure).toMatchObject({ type: 'SR_FULL', message: error.message, nonRetryable: true });
    const wrapped = new ActivityFailure(
      'Activity task failed',
      'restoreDisk',
      '7',
      RetryState.NON_RETRYABLE_FAILURE,
      undefined,
      failure,
    );
    expect(fromFailure(wrapped)).toMatchObject({ code: 'SR_FULL', hint: 'Free space.', data: { sr: 'nfs1' } });
  });

  it('run again where something outside is unavailable, and when its source said so', () => {
    const failure = toFailure(new AppError('POOL_BUSY', 'Later.', { retryAfterMs: 4000 }));
    expect(failure).toMatchObject({ nonRetryable: false, nextRetryDelay: 4000 });
    expect(toFailure(new TypeError('a bug'))).toMatchObject({ type: 'INTERNAL', nonRetryable: true });
  });

  it('leave a cancellation and a failure that is one already as they are', () => {
    const cancelled = new CancelledFailure('asked');
    expect(toFailure(cancelled)).toBe(cancelled);
    expect(fromFailure(cancelled).code).toBe('CANCELLED');
    const made = ApplicationFailure.create({ type: 'VM_BUSY' });
    expect(toFailure(made)).toBe(made);
    expect(fromFailure(ApplicationFailure.create({ type: 'SOMETHING_ELSE' })).code).toBe('INTERNAL');
  });
});
