import { BlockList, isIP } from 'node:net';
import type { AddressRange } from '../../platform/config/readers.ts';

/**
 * Which addresses webhooks may be sent to. Public ones always; of the others only what the operator's list names, so
 * that a tenant can't make Holdfast knock on the doors of the network it runs in.
 */
export interface AddressPolicy {
  /** 'PUBLIC', 'LISTED' (the operator's list names it) or 'REFUSED'. */
  judge(address: string): 'PUBLIC' | 'LISTED' | 'REFUSED';
  /** Whether the operator listed anything at all: only then may a URL be plain http. */
  readonly listsAny: boolean;
}

// IANA's special-purpose registries: nothing in them is a receiver on the internet.
const RESERVED: readonly AddressRange[] = [
  ipv4('0.0.0.0', 8),
  ipv4('10.0.0.0', 8),
  ipv4('100.64.0.0', 10),
  ipv4('127.0.0.0', 8),
  ipv4('169.254.0.0', 16),
  ipv4('172.16.0.0', 12),
  ipv4('192.0.0.0', 24),
  ipv4('192.0.2.0', 24),
  ipv4('192.88.99.0', 24),
  ipv4('192.168.0.0', 16),
  ipv4('198.18.0.0', 15),
  ipv4('198.51.100.0', 24),
  ipv4('203.0.113.0', 24),
  ipv4('224.0.0.0', 3),
  // Parts of the global unicast block that carry other addresses inside or are not routed.
  ipv6('2001::', 23),
  ipv6('2001:db8::', 32),
  ipv6('2002::', 16),
  ipv6('3fff::', 20),
];
const GLOBAL_UNICAST = ipv6('2000::', 3);

export function createAddressPolicy(allowed: readonly AddressRange[]): AddressPolicy {
  const listed = toBlockList(allowed);
  const reserved = toBlockList(RESERVED);
  const global = toBlockList([GLOBAL_UNICAST]);
  return {
    listsAny: allowed.length > 0,
    judge: (address) => {
      const plain = unmap(address);
      const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4';
      if (isIP(plain) === 0) {
        return 'REFUSED';
      }
      if (listed.check(plain, family)) {
        return 'LISTED';
      }
      const outside = family === 'ipv6' && !global.check(plain, family);
      return outside || reserved.check(plain, family) ? 'REFUSED' : 'PUBLIC';
    },
  };
}

/** An IPv4 address in IPv6 clothes is judged as what it is. */
function unmap(address: string): string {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (isIP(bare) !== 6) {
    return bare;
  }
  const canonical = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (mapped === null) {
    return canonical;
  }
  const high = Number.parseInt(mapped[1] ?? '', 16);
  const low = Number.parseInt(mapped[2] ?? '', 16);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function toBlockList(ranges: readonly AddressRange[]): BlockList {
  const list = new BlockList();
  for (const { address, prefix, family } of ranges) {
    list.addSubnet(address, prefix, family);
  }
  return list;
}

function ipv4(address: string, prefix: number): AddressRange {
  return { address, prefix, family: 'ipv4' };
}

function ipv6(address: string, prefix: number): AddressRange {
  return { address, prefix, family: 'ipv6' };
}
