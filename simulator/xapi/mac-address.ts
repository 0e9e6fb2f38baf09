import { createHash } from 'node:crypto';

const md5 = (data: Buffer | string): Buffer => createHash('md5').update(data).digest();

/** The address that XAPI makes from a VM's `mac_seed` for one device: an MD5 chain, made local and unicast. */
export function macFromSeed(seed: string, device: number): string {
  let digest = md5(seed);
  for (let round = 0; round < device * 2; round += 1) {
    digest = md5(digest);
  }
  const second = md5(digest);
  return toMac([...digest.subarray(0, 4), second[1] ?? 0, second[2] ?? 0]);
}

function toMac(bytes: readonly number[]): string {
  const [first = 0, ...rest] = bytes;
  return [(first | 0x02) & 0xfe, ...rest].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
