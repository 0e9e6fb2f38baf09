import type { DataModel, FieldModel } from './data-model.ts';
import { type ValueType, parseType } from './types.ts';
import { EPOCH, NULL_REF, type Row, type Value } from './values.ts';

/** How a default of the data model is written, for the types that have one. */
const READERS: Readonly<Partial<Record<ValueType['kind'], (text: string) => Value>>> = {
  string: (text) => text.replaceAll('"', ''),
  int: Number,
  float: Number,
  bool: (text) => text === 'true',
  enum: (text) => text,
};

const EMPTY: Readonly<Record<ValueType['kind'], Value>> = {
  string: '',
  int: 0,
  float: 0,
  bool: false,
  datetime: EPOCH,
  ref: NULL_REF,
  set: [],
  map: {},
  record: {},
  enum: '',
  void: '',
  any: '',
};

/** What a field holds when nobody said anything: the data model's default, or its type's empty value. */
export function defaultOf(field: FieldModel, model: DataModel): Value {
  const type = parseType(field.type);
  const read = READERS[type.kind];
  return field.default !== undefined && read !== undefined ? read(field.default) : emptyOf(type, model);
}

/** Of an enumeration, its first value. */
function emptyOf(type: ValueType, model: DataModel): Value {
  return type.kind === 'enum' ? ([...(model.enums.get(type.name) ?? [''])][0] ?? '') : EMPTY[type.kind];
}

export function emptyRow(className: string, model: DataModel): Row {
  const fields = model.classes.get(className)?.fields.values() ?? [];
  return Object.fromEntries([...fields].map((field) => [field.name, defaultOf(field, model)]));
}
