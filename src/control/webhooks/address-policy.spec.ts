import { describe, expect, it } from 'vitest';
import { createAddressPolicy } from './address-policy.ts';

describe('address policy', () => {
  const nothingListed = createAddressPolicy([]);

  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.31.255.255',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::127.0.0.1',
    'fe80::1',
    'fe80::1%eth0',
    'fd00::1',
    'fc00::1',
    'ff02::1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:db8::1',
    'not an address',
  ])('refuses %s', (address) => {
    expect(nothingListed.judge(address)).toBe('REFUSED');
  });

  it.each(['8.8.8.8', '172.32.0.1', '2606:4700::1111', '::ffff:8.8.8.8'])('takes %s as public', (address) => {
    expect(nothingListed.judge(address)).toBe('PUBLIC');
  });

  it('takes what the operator has listed, in either notation, and nothing beside it', () => {
    const policy = createAddressPolicy([{ address: '127.0.0.0', prefix: 8, family: 'ipv4' }]);
    expect(policy.judge('127.9.9.9')).toBe('LISTED');
    expect(policy.judge('::ffff:127.0.0.1')).toBe('LISTED');
    expect(policy.judge('10.0.0.1')).toBe('REFUSED');
    expect(policy.judge('::1')).toBe('REFUSED');
  });
});
