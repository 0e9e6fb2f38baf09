import { BlockList, isIPv6 } from 'node:net';

/** Whether an address lies in one of the networks, each in CIDR form; an empty list allows everything. */
export function isAllowedAddress(address: string | null, networks: readonly string[]): boolean {
  if (networks.length === 0) {
    return true;
  }
  if (address === null) {
    return false;
  }
  const list = new BlockList();
  for (const network of networks) {
    const [base = '', bits] = network.split('/');
    const family = isIPv6(base) ? 'ipv6' : 'ipv4';
    list.addSubnet(base, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** `::ffff:192.0.2.1` is 192.0.2.1 on a socket that takes both families. */
export function plainAddress(address: string | undefined): string | null {
  return address?.replace(/^::ffff:(?=\d+\.)/, '') ?? null;
}
