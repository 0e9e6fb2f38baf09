import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { z } from 'zod';
import { parseGlobalId } from '../../kernel/global-id.ts';

/** What a variable's text is read with, and the words for what would be right. */
export interface Reader<T> {
  readonly schema: z.ZodType<T, string>;
  readonly right: string;
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function isUrl(text: string, protocols: readonly string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol);
}

export const text: Reader<string> = { schema: z.string().min(1), right: 'some text' };

export const path: Reader<string> = { schema: z.string().min(1), right: 'the path of a folder' };

export const postgresUrl: Reader<string> = {
  schema: z.string().refine((value) => isUrl(value, ['postgres:', 'postgresql:'])),
  right: 'a URL like postgres://user:password@host:5432/holdfast',
};

/** The contents of a PEM file. */
export const pemFile: Reader<string> = {
  schema: z.string().transform((value, context) => {
    const pem = readPem(value);
    if (pem === undefined) {
      context.addIssue({ code: 'custom', message: 'not a PEM file' });
      return z.NEVER;
    }
    return pem;
  }),
  right: 'the path of a readable PEM file',
};

function readPem(file: string): string | undefined {
  try {
    const pem = readFileSync(file, 'utf8');
    return pem.includes('-----BEGIN ') ? pem : undefined;
  } catch {
    return undefined; // the caller says which variable names no readable file
  }
}

export const webUrl: Reader<string> = {
  schema: z
    .string()
    .refine((value) => isUrl(value, ['http:', 'https:']))
    .transform((value) => value.replace(/\/+$/, '')),
  right: 'a URL like https://backup.example.com',
};

export const hostAndPort: Reader<string> = {
  schema: z.string().regex(/^(\[[0-9a-fA-F:]+\]|[^\s:/]+):([1-9]\d{0,4})$/),
  right: 'host:port, like temporal.example.com:7233',
};

export const port: Reader<number> = {
  schema: z
    .string()
    .regex(/^\d{1,5}$/)
    .transform(Number)
    .pipe(z.number().max(65_535)),
  right: 'a port number from 1 to 65535, or 0 for a free one',
};

export const ipAddress: Reader<string> = {
  schema: z.string().refine((value) => isIP(value) !== 0),
  right: 'an IP address of this machine, like 127.0.0.1 or 0.0.0.0',
};

/** Milliseconds. */
export const duration: Reader<number> = {
  schema: z
    .string()
    .regex(/^\d+(ms|s|m|h|d)$/)
    .transform((value) => {
      const [, count, unit] = /^(\d+)([a-z]+)$/.exec(value) ?? [];
      return Number(count) * (UNIT_MS[unit ?? ''] ?? 0);
    })
    .pipe(z.number().positive()),
  right: 'a duration above zero with its unit, like 500ms, 30s, 5m, 1h or 3d',
};

export function count(min: number, max: number): Reader<number> {
  return {
    schema: z.string().regex(/^\d+$/).transform(Number).pipe(z.number().min(min).max(max)),
    right: `a whole number from ${min} to ${max}`,
  };
}

export function oneOf<T extends string>(...values: readonly T[]): Reader<T> {
  return {
    schema: z.string().pipe(z.enum(values)),
    right: `one of ${values.join(', ')}`,
  };
}

/** At least one of the values, each once. */
export function someOf<T extends string>(...values: readonly T[]): Reader<readonly T[]> {
  return {
    schema: z
      .string()
      .transform((value) => [...new Set(value.split(',').map((part) => part.trim()))])
      .pipe(z.array(z.enum(values)).min(1)),
    right: `one or more of ${values.join(', ')} with commas between them`,
  };
}

/** The UUIDs of sites, from their global ids. */
export const siteIds: Reader<readonly string[]> = {
  schema: z.string().transform((value, context) => {
    const keys = value.split(',').map((part) => parseGlobalId(part.trim()));
    const ids = keys.flatMap((key) => (key?.type === 'Site' ? [key.id] : []));
    if (ids.length < keys.length) {
      context.addIssue({ code: 'custom', message: 'not ids of sites' });
    }
    return ids;
  }),
  right: 'ids of sites, site_…, with commas between them',
};

/** A range of IP addresses. */
export interface AddressRange {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

function toRange(value: string): AddressRange | undefined {
  const [address = '', prefix = '', ...rest] = value.split('/');
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  if (version === 0 || rest.length > 0 || !/^\d{1,3}$/.test(prefix) || Number(prefix) > most) {
    return undefined;
  }
  return { address, prefix: Number(prefix), family: version === 4 ? 'ipv4' : 'ipv6' };
}

export const addressRanges: Reader<readonly AddressRange[]> = {
  schema: z.string().transform((value, context) => {
    const parts = value.split(',').map((part) => part.trim());
    const ranges = parts.filter((part) => part !== '').map((part) => toRange(part));
    const good = ranges.filter((range) => range !== undefined);
    if (good.length < ranges.length) {
      context.addIssue({ code: 'custom', message: 'not an address range' });
    }
    return good;
  }),
  right: 'address ranges with commas between them, like 127.0.0.0/8,::1/128',
};
