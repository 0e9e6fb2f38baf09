import { AppError } from '../kernel/errors.ts';
import { FIELDS, type XapiRecords } from './generated/records.ts';

export type XapiClass = keyof XapiRecords;

export const NULL_REF = 'OpaqueRef:NULL';

export function isRef(value: string): boolean {
  return value.startsWith('OpaqueRef:') && value !== NULL_REF;
}

/**
 * Turns what a pool answered into a typed record; only the fields Holdfast knows are taken over.
 * A field that is missing or of another type throws XAPI_RECORD_INVALID with class, ref and field.
 * Enum values are passed through as they are: newer pools have more of them.
 */
export function parseRecord<C extends XapiClass>(className: C, ref: string, raw: unknown): XapiRecords[C] {
  if (!isMap(raw)) {
    throw invalid(className, ref, '(the record itself)', raw);
  }
  const record: Record<string, unknown> = {};
  for (const [field, kind] of Object.entries<string>(FIELDS[className])) {
    const optional = kind.endsWith('?');
    const type = (optional ? kind.slice(0, -1) : kind) as FieldKind;
    const value = type === 'int' ? toInteger(raw[field]) : raw[field];
    if (value === undefined && optional) {
      continue;
    }
    if (!ACCEPTS[type](value)) {
      throw invalid(className, ref, field, value);
    }
    record[field] = value;
  }
  return record as unknown as XapiRecords[C];
}

/** Parses the answer of `get_all_records`: a map from ref to record. */
export function parseRecords<C extends XapiClass>(className: C, raw: unknown): Map<string, XapiRecords[C]> {
  if (!isMap(raw)) {
    throw invalid(className, '(all)', '(the map of records)', raw);
  }
  return new Map(Object.entries(raw).map(([ref, record]) => [ref, parseRecord(className, ref, record)]));
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type FieldKind = 'bool' | 'int' | 'float' | 'set' | 'map' | 'string';

// Integers come as decimal strings over XML-RPC.
const toInteger = (value: unknown): unknown =>
  typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;

const ACCEPTS: Readonly<Record<FieldKind, (value: unknown) => boolean>> = {
  bool: (value) => typeof value === 'boolean',
  int: (value) => typeof value === 'number',
  float: (value) => typeof value === 'number',
  set: (value) => Array.isArray(value),
  map: isMap,
  string: (value) => typeof value === 'string',
};

function invalid(className: string, ref: string, field: string, value: unknown): AppError {
  const found = value === undefined ? 'is missing' : `has the type ${Array.isArray(value) ? 'array' : typeof value}`;
  return new AppError('XAPI_RECORD_INVALID', `The field ${field} of ${className} ${ref} ${found}.`, {
    data: { class: className, ref, field },
  });
}
