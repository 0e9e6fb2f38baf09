import { createHash } from 'node:crypto';

/** SHA-256 over the input with its keys in order: the same request has the same fingerprint, whatever its spelling. */
export function fingerprintOf(input: unknown): Buffer {
  return createHash('sha256')
    .update(JSON.stringify(canonical(input)) ?? '')
    .digest();
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(canonical);
  }
  if (typeof value === 'bigint') {
    return value.toString();
  }
  if (value === null || typeof value !== 'object' || value instanceof Date) {
    return value;
  }
  const entries = Object.entries(value).filter(([key, item]) => key !== 'idempotencyKey' && item !== undefined);
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, canonical(item)]),
  );
}
