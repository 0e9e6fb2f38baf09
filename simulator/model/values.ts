import { randomUUID } from 'node:crypto';

/** Any value of the data model as it is held in the database; JSON-RPC sends it as it is. */
export type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };
export type Row = Record<string, Value>;

export const NULL_REF = 'OpaqueRef:NULL';
export const EPOCH = '19700101T00:00:00Z';

export function newRef(): string {
  return `OpaqueRef:${randomUUID()}`;
}

/** Basic ISO 8601, as XAPI writes dates: `20260821T10:00:00Z`. */
export function toDatetime(milliseconds: number): string {
  const iso = new Date(milliseconds).toISOString();
  return `${iso.slice(0, 19).replaceAll('-', '')}Z`;
}

export function asText(value: Value | undefined): string {
  return typeof value === 'string' ? value : '';
}

export function asNumber(value: Value | undefined): number {
  return typeof value === 'number' ? value : 0;
}

export function asList(value: Value | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

export function isMap(value: Value | undefined): value is { readonly [key: string]: Value } {
  return typeof value === 'object' && !Array.isArray(value);
}

export function asMap(value: Value | undefined): Record<string, string> {
  if (!isMap(value)) {
    return {};
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, typeof each === 'object' ? '' : String(each)]),
  );
}
