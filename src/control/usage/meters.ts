/** What is added up as jobs end. */
export const COUNTERS = {
  backed_up_bytes: 'byte',
  restored_bytes: 'byte',
  replicated_bytes: 'byte',
  backup_runs: 'run',
  restore_runs: 'run',
  replication_runs: 'run',
} as const;

/** What there is at the end of a window. */
export const GAUGES = {
  protected_vms: 'vm',
  protected_bytes: 'byte',
  stored_bytes: 'byte',
  restore_points: 'restore_point',
} as const;

export type Counter = keyof typeof COUNTERS;
export type Gauge = keyof typeof GAUGES;
export type Meter = Counter | Gauge;
export type MeterUnit = 'byte' | 'run' | 'vm' | 'restore_point';

/** Every meter, in the order in which windows list them. docs/usage-meters.md says what each one means. */
export const METERS = [...Object.keys(COUNTERS), ...Object.keys(GAUGES)] as readonly Meter[] as readonly [
  Meter,
  ...Meter[],
];

export function unitOf(meter: Meter): MeterUnit {
  return { ...COUNTERS, ...GAUGES }[meter];
}
