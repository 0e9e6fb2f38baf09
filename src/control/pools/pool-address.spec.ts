import { describe, expect, it } from 'vitest';
import { fingerprintField, poolAddressField } from './pool-address.ts';

describe("a pool's address", () => {
  it.each([
    ['10.0.0.5', 'https://10.0.0.5'],
    ['pool.example.com:8443', 'https://pool.example.com:8443'],
    ['https://[2001:db8::1]:8443/', 'https://[2001:db8::1]:8443'],
    ['https://10.0.0.5:443', 'https://10.0.0.5'],
  ])('%s is %s', (text, address) => {
    expect(poolAddressField.parse(text)).toBe(address);
  });

  it.each([
    'http://10.0.0.5',
    'https://root:secret@10.0.0.5',
    'https://10.0.0.5/jsonrpc',
    'https://10.0.0.5?x=1',
    'ftp://a',
    '',
  ])('%s is refused', (text) => {
    expect(poolAddressField.safeParse(text).success).toBe(false);
  });
});

describe('a fingerprint', () => {
  it('is taken as people copy it', () => {
    const pairs = Array.from({ length: 32 }, (_, i) => i.toString(16).padStart(2, '0').toUpperCase());
    expect(fingerprintField.parse(pairs.join(':'))).toBe(pairs.join('').toLowerCase());
  });

  it('of another length is refused', () => {
    expect(fingerprintField.safeParse('ab'.repeat(20)).success).toBe(false);
  });
});
