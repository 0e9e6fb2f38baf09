import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextPause, parseRetryAfter } from './retry-schedule.ts';

const DAY = 86_400_000;
const schedule = { firstMs: 5_000, forMs: 3 * DAY };

describe('retry schedule', () => {
  it('doubles from the first pause, with up to a fifth more', () => {
    const failure = { attempts: 3, elapsedMs: 15_000, retryAfterMs: undefined };
    expect(nextPause(schedule, failure, 0)).toBe(20_000);
    expect(nextPause(schedule, failure, 0.5)).toBe(22_000);
  });

  it('ends after three days, with a last attempt at their end, whatever the jitter', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 40, maxLength: 40 }),
        (randoms) => {
          let elapsedMs = 0;
          let attempts = 1;
          for (const random of randoms) {
            const pause = nextPause(schedule, { attempts, elapsedMs, retryAfterMs: undefined }, random);
            if (pause === null) {
              break;
            }
            elapsedMs += pause;
            attempts += 1;
          }
          expect(Math.abs(elapsedMs - 3 * DAY)).toBeLessThan(1_000);
          expect(attempts).toBeGreaterThan(15);
        },
      ),
    );
  });

  it('waits as long as the receiver asks, up to a day', () => {
    expect(nextPause(schedule, { attempts: 1, elapsedMs: 0, retryAfterMs: 60_000 }, 0)).toBe(60_000);
    expect(nextPause(schedule, { attempts: 1, elapsedMs: 0, retryAfterMs: 9 * DAY }, 0)).toBe(DAY);
  });

  it('reads Retry-After as seconds, as a date, and not at all', () => {
    const now = Date.UTC(2026, 0, 1);
    expect(parseRetryAfter('120', now)).toBe(120_000);
    expect(parseRetryAfter('Thu, 01 Jan 2026 00:01:00 GMT', now)).toBe(60_000);
    expect(parseRetryAfter('Wed, 31 Dec 2025 00:00:00 GMT', now)).toBe(0);
    expect(parseRetryAfter('soon', now)).toBeUndefined();
    expect(parseRetryAfter(undefined, now)).toBeUndefined();
  });
});
