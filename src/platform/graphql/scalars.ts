import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';

/** RFC 3339 in UTC, to the millisecond. */
export const DateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  serialize: (value) => {
    if (value instanceof Date) {
      return value.toISOString();
    }
    throw new GraphQLError('DateTime carries a Date');
  },
  parseValue: (value) => parseDate(value),
  parseLiteral: (node) => parseDate(node.kind === Kind.STRING ? node.value : null),
});

/** Decimal text on the wire; `bigint` or decimal text inside. */
export const BigIntScalar = new GraphQLScalarType<bigint, string>({
  name: 'BigInt',
  serialize: (value) => {
    if (typeof value === 'bigint' || (typeof value === 'string' && WHOLE.test(value)) || Number.isSafeInteger(value)) {
      return String(value);
    }
    throw new GraphQLError('BigInt carries a whole number');
  },
  parseValue: (value) => parseWhole(value),
  parseLiteral: (node) => parseWhole(node.kind === Kind.STRING || node.kind === Kind.INT ? node.value : null),
});

const WHOLE = /^-?\d{1,30}$/;

function parseWhole(value: unknown): bigint {
  const text = Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text === 'string' && WHOLE.test(text)) {
    return BigInt(text);
  }
  throw new GraphQLError('BigInt must be a whole number as decimal text');
}

function parseDate(value: unknown): Date {
  const date = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? new Date(value) : null;
  if (date === null || Number.isNaN(date.getTime())) {
    throw new GraphQLError('DateTime must be RFC 3339, for example 2026-01-31T12:00:00Z');
  }
  return date;
}
