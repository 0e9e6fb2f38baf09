import { describe, expect, it } from 'vitest';
import { isAllowedAddress, plainAddress } from './address-list.ts';
import { hashApiToken, looksLikeApiToken, newApiToken } from './api-token.ts';
import { expandScopes, PERMISSIONS, ROLES } from './permissions.ts';

describe('an API token', () => {
  it('has a prefix, and a checksum that tells it from a look-alike', () => {
    const token = newApiToken();
    expect(token).toMatch(/^hf_live_[0-9A-Za-z]{49}$/);
    expect(looksLikeApiToken(token)).toBe(true);
    const last = token.at(-1) === '0' ? '1' : '0';
    expect(looksLikeApiToken(token.slice(0, -1) + last)).toBe(false);
    expect(looksLikeApiToken(`${token} `)).toBe(false);
    expect(newApiToken()).not.toBe(token);
    expect(hashApiToken(token)).toHaveLength(32);
  });

  it('may be bound to networks of either family', () => {
    expect(isAllowedAddress(null, [])).toBe(true);
    expect(isAllowedAddress(null, ['10.0.0.0/8'])).toBe(false);
    expect(isAllowedAddress('10.1.2.3', ['10.0.0.0/8'])).toBe(true);
    expect(isAllowedAddress('11.1.2.3', ['10.0.0.0/8', '2001:db8::/32'])).toBe(false);
    expect(isAllowedAddress('2001:db8::5', ['10.0.0.0/8', '2001:db8::/32'])).toBe(true);
    expect(isAllowedAddress('192.0.2.7', ['192.0.2.7'])).toBe(true);
    expect(plainAddress('::ffff:192.0.2.7')).toBe('192.0.2.7');
    expect(plainAddress('2001:db8::5')).toBe('2001:db8::5');
  });
});

describe('scopes', () => {
  it('stand for permissions, alone or as roles; an unknown one gives nothing', () => {
    expect([...expandScopes(['sites:read', 'no:such'])]).toEqual(['sites:read']);
    expect(expandScopes(['OWNER']).size).toBe(PERMISSIONS.length);
    expect(expandScopes(['toString', 'constructor', '__proto__']).size).toBe(0);
  });

  it('let a reader change nothing, and an operator govern nothing', () => {
    expect(ROLES.READER.filter((permission) => permission.endsWith(':write'))).toEqual([]);
    expect(ROLES.AUDITOR.filter((permission) => permission.endsWith(':write'))).toEqual([]);
    for (const governing of ['tenants:write', 'tokens:write', 'grants:write'] as const) {
      expect(ROLES.OPERATOR).not.toContain(governing);
    }
  });
});
