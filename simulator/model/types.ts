/** The parsed form of a type string of the data model, e.g. `(string -> VDI ref) map`. */
export type ValueType =
  | { readonly kind: 'string' | 'int' | 'float' | 'bool' | 'datetime' | 'void' | 'any' }
  | { readonly kind: 'ref' | 'record' | 'enum'; readonly name: string }
  | { readonly kind: 'set'; readonly of: ValueType }
  | { readonly kind: 'map'; readonly key: ValueType; readonly value: ValueType };

const cache = new Map<string, ValueType>();

export function parseType(text: string): ValueType {
  const known = cache.get(text);
  if (known !== undefined) {
    return known;
  }
  const parsed = parse(text);
  cache.set(text, parsed);
  return parsed;
}

const SIMPLE: readonly string[] = ['string', 'int', 'float', 'bool', 'datetime', 'void'] satisfies ValueType['kind'][];

function parse(text: string): ValueType {
  if (SIMPLE.includes(text)) {
    return { kind: text as 'string' };
  }
  if (text.endsWith(' set')) {
    return { kind: 'set', of: parseType(text.slice(0, -4)) };
  }
  if (text.endsWith(' option')) {
    return parseType(text.slice(0, -7));
  }
  if (text.endsWith(') map')) {
    const [key = '', value = ''] = text.slice(1, -5).split(' -> ');
    return { kind: 'map', key: parseType(key), value: parseType(value) };
  }
  if (text.endsWith(' ref') || text.endsWith(' record')) {
    const [name = '', kind] = text.split(' ');
    return { kind: kind === 'ref' ? 'ref' : 'record', name };
  }
  return text.startsWith('enum ') ? { kind: 'enum', name: text.slice(5) } : { kind: 'any' };
}
