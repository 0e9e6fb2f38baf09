import { type Clock, systemClock } from '../kernel/clock.ts';

const INTERVAL_MS = 1000;

/** Passes on the first report and then at most one a second; what comes in between is replaced by what comes later. */
export function atMostOnceASecond<T>(
  report: ((value: T) => void) | undefined,
  clock: Clock = systemClock,
): (value: T) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (value) => {
    const now = clock.monotonic();
    if (report !== undefined && now - last >= INTERVAL_MS) {
      last = now;
      report(value);
    }
  };
}
