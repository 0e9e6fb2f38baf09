import { BlockList, isIP, isIPv6 } from 'node:net';

const LIST = new BlockList();
/** Unspecified, loopback and link-local. */
LIST.addSubnet('0.0.0.0', 8);
LIST.addSubnet('127.0.0.0', 8);
LIST.addSubnet('169.254.0.0', 16);
LIST.addSubnet('::', 127, 'ipv6');
LIST.addSubnet('fe80::', 10, 'ipv6');
/** Where clouds answer their own machines with credentials, beside 169.254.169.254. */
LIST.addAddress('100.100.100.200');
LIST.addAddress('168.63.129.16');
LIST.addAddress('192.0.0.192');
LIST.addAddress('fd00:ec2::254', 'ipv6');

/** Whether an IP address leads to the very machine that dials it, or to what only that machine can reach. */
export function isOwnMachineAddress(address: string): boolean {
  const plain = address.replace(/%.*$/, '');
  return LIST.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}

/** The same of a host as a URL has it: `localhost` and its like are known by name, other names only once they are resolved. */
export function isOwnMachineHost(hostname: string): boolean {
  const host = hostname.replaceAll(/^\[|\]$|\.$/g, '');
  return isIP(host) === 0 ? host === 'localhost' || host.endsWith('.localhost') : isOwnMachineAddress(host);
}
