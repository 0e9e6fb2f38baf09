export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;

/** Byte counts are bigint in SQL and SDL, number below 2^53 in the data plane; this is the one place that converts. */
export function toNumber(bytes: bigint | string): number {
  const value = Number(bytes);
  if (!Number.isSafeInteger(value)) {
    throw new RangeError(`byte count out of range: ${bytes}`);
  }
  return value;
}

export function toBigInt(bytes: number): bigint {
  if (!Number.isSafeInteger(bytes)) {
    throw new RangeError(`byte count out of range: ${bytes}`);
  }
  return BigInt(bytes);
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** For people: 1536 → "1.5 KiB". */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit] ?? ''}`;
}
