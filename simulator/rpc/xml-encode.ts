import type { DataModel } from '../model/data-model.ts';
import { type ValueType, parseType } from '../model/types.ts';
import { type Value, asList, asText, isMap } from '../model/values.ts';

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** A value of a data-model type as an XML-RPC `<value>`; integers travel as decimal strings. */
export function encodeXml(value: Value, type: string, model: DataModel): string {
  return encode(value, parseType(type), model);
}

export function wrap(inner: string): string {
  return `<value>${inner}</value>`;
}

export function struct(members: readonly (readonly [string, string])[]): string {
  const inner = members.map(([name, value]) => `<member><name>${escapeXml(name)}</name>${value}</member>`);
  return wrap(`<struct>${inner.join('')}</struct>`);
}

export function array(values: readonly string[]): string {
  return wrap(`<array><data>${values.join('')}</data></array>`);
}

function encode(value: Value, type: ValueType, model: DataModel): string {
  if (type.kind === 'set') {
    return array((Array.isArray(value) ? value : []).map((each: Value) => encode(each, type.of, model)));
  }
  if (type.kind === 'map') {
    return struct(members(value).map(([key, each]) => [key, encode(each, type.value, model)]));
  }
  if (type.kind === 'record') {
    return encodeRecord(value, type.name, model);
  }
  return encodeSimple(value, type.kind);
}

function encodeSimple(value: Value, kind: ValueType['kind']): string {
  if (kind === 'any') {
    return encodeUntyped(value);
  }
  if (kind === 'bool') {
    return wrap(`<boolean>${value === true ? '1' : '0'}</boolean>`);
  }
  const tag = TAGS[kind];
  return wrap(tag === undefined ? scalar(value) : `<${tag}>${scalar(value)}</${tag}>`);
}

const TAGS: Readonly<Partial<Record<ValueType['kind'], string>>> = { float: 'double', datetime: 'dateTime.iso8601' };

/** A string or number as escaped text. */
function scalar(value: Value): string {
  return typeof value === 'object' ? '' : escapeXml(String(value));
}

function encodeRecord(value: Value, className: string, model: DataModel): string {
  const fields = model.classes.get(className)?.fields;
  return struct(
    members(value).map(([name, each]) => {
      const type = fields?.get(name)?.type;
      return [name, type === undefined ? encodeUntyped(each) : encodeXml(each, type, model)];
    }),
  );
}

/** For what the data model has no type for. */
function encodeUntyped(value: Value): string {
  if (Array.isArray(value)) {
    return array(value.map((each: Value) => encodeUntyped(each)));
  }
  if (isMap(value)) {
    return struct(members(value).map(([name, each]) => [name, encodeUntyped(each)]));
  }
  if (typeof value === 'boolean') {
    return wrap(`<boolean>${value ? '1' : '0'}</boolean>`);
  }
  return wrap(scalar(value));
}

function members(value: Value): [string, Value][] {
  return isMap(value) ? Object.entries(value) : [];
}

/** What `event.from` answers: snapshots are records of their own classes, counts are the only `<i4>`. */
export function encodeEventBatch(batch: Value, model: DataModel): string {
  if (!isMap(batch)) {
    return encodeUntyped(batch);
  }
  const events = Array.isArray(batch['events']) ? batch['events'] : [];
  const counts = members(batch['valid_ref_counts'] ?? {});
  return struct([
    ['events', array(events.map((event: Value) => encodeEvent(event, model)))],
    ['valid_ref_counts', struct(counts.map(([table, count]) => [table, wrap(`<i4>${scalar(count)}</i4>`)]))],
    ['token', wrap(asText(batch['token']))],
  ]);
}

function encodeEvent(event: Value, model: DataModel): string {
  const className = isMap(event) ? model.findClassName(asText(event['class'])) : undefined;
  return struct(
    members(event).map(([name, value]) => [
      name,
      name === 'snapshot' && className !== undefined ? encodeRecord(value, className, model) : encodeUntyped(value),
    ]),
  );
}

/** `[CODE, p1, …]` as XML-RPC. */
export function encodeStrings(values: readonly string[]): string {
  return array(asList(values).map((each) => wrap(escapeXml(each))));
}
