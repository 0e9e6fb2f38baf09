import { describe, expect, it } from 'vitest';
import { eventOf, isFinished, JOB_STATES, mayBecome, statesBefore } from './job-state.ts';

describe('a job’s states', () => {
  it('never leave an end', () => {
    for (const end of JOB_STATES.filter(isFinished)) {
      expect(JOB_STATES.filter((state) => mayBecome(end, state))).toEqual([]);
    }
  });

  it('reach every end, and CANCELLING only while something can be cancelled', () => {
    for (const end of JOB_STATES.filter(isFinished)) {
      expect(statesBefore(end)).not.toEqual([]);
    }
    expect(statesBefore('CANCELLING')).toEqual(['QUEUED', 'RUNNING']);
    expect(statesBefore('RUNNING')).toEqual(['QUEUED']);
    expect(statesBefore('QUEUED')).toEqual([]);
  });

  it('let a job succeed that was past the point of no return when it was cancelled', () => {
    expect(mayBecome('CANCELLING', 'SUCCEEDED')).toBe(true);
  });

  it('name their events', () => {
    expect(eventOf('SUCCEEDED_WITH_WARNINGS')).toBe('job.succeeded_with_warnings');
  });
});
