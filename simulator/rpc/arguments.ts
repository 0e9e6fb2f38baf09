import type { DataModel, MessageModel } from '../model/data-model.ts';
import { type ValueType, parseType } from '../model/types.ts';
import { type Value, isMap } from '../model/values.ts';
import { XapiError } from '../xapi-error.ts';

export const hasSession = (message: MessageModel): boolean => message.params[0]?.[1] === 'session_id';

/** Throws MESSAGE_PARAMETER_COUNT_MISMATCH; its counts leave the session out. */
export function checkCount(method: string, message: MessageModel, params: readonly Value[]): void {
  const session = hasSession(message) ? 1 : 0;
  const least = message.params.filter(([, , required]) => required === 1).length;
  const most = message.params.length;
  if (params.length < least || params.length > most) {
    throw new XapiError('MESSAGE_PARAMETER_COUNT_MISMATCH', [
      method,
      String(most - session),
      String(Math.max(params.length - session, 0)),
    ]);
  }
}

/** The arguments without the session, as the data model's types: XML-RPC's decimal strings become integers. */
export function readArguments(message: MessageModel, params: readonly Value[], model: DataModel): Value[] {
  const start = hasSession(message) ? 1 : 0;
  return params.slice(start).map((value, index) => {
    const [type, name] = message.params[index + start] ?? ['any', ''];
    return convert(value, parseType(type), name, model);
  });
}

function convert(value: Value, type: ValueType, name: string, model: DataModel): Value {
  if (type.kind === 'set') {
    return (Array.isArray(value) ? value : mistyped(name)).map((each: Value) => convert(each, type.of, name, model));
  }
  if (type.kind === 'map') {
    return convertMap(value, type.value, name, model);
  }
  if (type.kind === 'record') {
    return convertRecord(value, type.name, model);
  }
  if (type.kind === 'enum') {
    return expect(typeof value === 'string' && model.enums.get(type.name)?.has(value) !== false, value, name);
  }
  return SIMPLE[type.kind](value, name);
}

const isText = (value: Value, name: string): Value => expect(typeof value === 'string', value, name);

const SIMPLE: Readonly<Record<SimpleKind, (value: Value, name: string) => Value>> = {
  string: isText,
  ref: isText,
  datetime: isText,
  bool: (value, name) => expect(typeof value === 'boolean', value, name),
  int: (value, name) => toInteger(value, name),
  float: (value, name) =>
    typeof value === 'string' && value !== '' ? Number(value) : expect(typeof value === 'number', value, name),
  void: (value) => value,
  any: (value) => value,
};

type SimpleKind = Exclude<ValueType['kind'], 'set' | 'map' | 'record' | 'enum'>;

function convertMap(value: Value, type: ValueType, name: string, model: DataModel): Value {
  const entries = isMap(value) ? Object.entries(value) : mistyped(name);
  return Object.fromEntries(entries.map(([key, each]) => [key, convert(each, type, `${name}.${key}`, model)]));
}

/** Unknown keys are ignored, as XAPI does. */
function convertRecord(value: Value, className: string, model: DataModel): Value {
  const fields = model.classes.get(className)?.fields;
  const entries = isMap(value) ? Object.entries(value) : mistyped(className);
  return Object.fromEntries(
    entries.flatMap(([key, each]) => {
      const field = fields?.get(key);
      return field === undefined ? [] : [[key, convert(each, parseType(field.type), key, model)]];
    }),
  );
}

function toInteger(value: Value, name: string): number {
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) ? number : mistyped(name);
}

function expect(holds: boolean, value: Value, name: string): Value {
  return holds ? value : mistyped(name);
}

function mistyped(name: string): never {
  throw new XapiError('FIELD_TYPE_ERROR', [name]);
}
