import type { Value } from '../model/values.ts';
import { MalformedRequest } from './json-rpc.ts';

interface Element {
  readonly name: string;
  readonly children: Element[];
  text: string;
}

export interface XmlCall {
  readonly method: string;
  readonly params: readonly Value[];
}

/** An XML-RPC `methodCall`. */
export function parseXmlCall(body: string): XmlCall {
  const call = parseDocument(body);
  const method = child(call, 'methodName')?.text.trim();
  if (call.name !== 'methodCall' || method === undefined) {
    throw new MalformedRequest('the body is no methodCall');
  }
  const params = child(call, 'params')?.children ?? [];
  return { method, params: params.map((param) => toValue(child(param, 'value'))) };
}

/** An XML-RPC `<value>` by itself, as a task's result holds it. */
export function parseXmlValue(text: string): Value {
  return toValue(parseDocument(text));
}

function child(element: Element, name: string): Element | undefined {
  return element.children.find((each) => each.name === name);
}

function toValue(element: Element | undefined): Value {
  if (element?.name !== 'value') {
    throw new MalformedRequest('a <value> is missing');
  }
  const [typed] = element.children;
  if (typed === undefined) {
    return element.text;
  }
  const read = READERS[typed.name];
  if (read === undefined) {
    throw new MalformedRequest(`<${typed.name}> is no type`);
  }
  return read(typed);
}

const toText = (element: Element): Value => element.text;
const toNumber = (element: Element): Value => Number(element.text);

const READERS: Readonly<Record<string, (element: Element) => Value>> = {
  string: toText,
  'dateTime.iso8601': toText,
  base64: toText,
  int: toNumber,
  i4: toNumber,
  i8: toNumber,
  double: toNumber,
  nil: () => '',
  boolean: (element) => element.text.trim() === '1',
  array: (element) => (child(element, 'data')?.children ?? []).map((each) => toValue(each)),
  struct: (element) =>
    Object.fromEntries(
      element.children.map((member) => [child(member, 'name')?.text ?? '', toValue(child(member, 'value'))]),
    ),
};

const TOKEN = /<\?[^>]*\?>|<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([\w.:-]+)[^>]*?(\/?)>|([^<]+)/g;

function parseDocument(text: string): Element {
  const root: Element = { name: '', children: [], text: '' };
  const open: Element[] = [root];
  for (const [, literal, closing, name, empty, characters] of text.matchAll(TOKEN)) {
    const top = open.at(-1) ?? root;
    if (name === undefined) {
      top.text += literal ?? unescapeXml(characters ?? '');
    } else if (closing === '/') {
      closeElement(open, name);
    } else {
      openElement(open, name, empty === '/');
    }
  }
  const [document] = root.children;
  if (document === undefined || open.length !== 1) {
    throw new MalformedRequest('the document is not well-formed');
  }
  return document;
}

function openElement(open: Element[], name: string, isEmpty: boolean): void {
  const element: Element = { name, children: [], text: '' };
  open.at(-1)?.children.push(element);
  if (!isEmpty) {
    open.push(element);
  }
}

function closeElement(open: Element[], name: string): void {
  const top = open.pop();
  if (top?.name !== name) {
    throw new MalformedRequest(`</${name}> closes <${top?.name ?? ''}>`);
  }
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replaceAll(
    /&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (hex !== undefined) {
        return String.fromCodePoint(Number.parseInt(hex, 16));
      }
      return decimal === undefined ? (ENTITIES[name ?? ''] ?? whole) : String.fromCodePoint(Number(decimal));
    },
  );
}
