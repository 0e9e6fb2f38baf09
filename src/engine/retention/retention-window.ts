/**
 * All that is locked within one window gets the date at the window's end: so a pack that point after point inherits is
 * extended once a window, and not with every point.
 */
const WINDOW_MS = 10 * 24 * 60 * 60 * 1000;

/** The end of the window that `until` lies in: what is locked, is locked up to 10 days longer than was asked for. */
export function endOfWindow(until: number): number {
  return Math.ceil(until / WINDOW_MS) * WINDOW_MS;
}
