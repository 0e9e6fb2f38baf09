/** What can be set for all pools of a simulator; times in milliseconds. */
export interface Settings {
  /** How long a wrong password waits for its answer. Real pools take 5000. */
  readonly badPasswordDelayMs: number;
  /** How long a disk stays attached to the control domain after a transfer ended. */
  readonly detachDelayMs: number;
  /** How long an operation waits for a busy object before it says so. Real pools wait two hours. */
  readonly busyWaitMs: number;
  /** How long removed snapshots wait before their chain is merged. */
  readonly mergeDelayMs: number;
  /** Whether redirects name the port. Real pools don't: their port is 443. */
  readonly redirectWithPort: boolean;
  /** NBD connections per host. */
  readonly nbdConnections: number;
  readonly srCapacityBytes: number;
}

export const DEFAULT_SETTINGS: Settings = {
  badPasswordDelayMs: 0,
  detachDelayMs: 200,
  busyWaitMs: 7_200_000,
  mergeDelayMs: 500,
  redirectWithPort: false,
  nbdConnections: 16,
  srCapacityBytes: 256 * 1024 ** 3,
};
