import { z } from 'zod';
import { isOwnMachineHost } from '../../kernel/own-machine.ts';

/** `host`, `host:port`, `[v6]:port` or `https://…` of these → `https://host[:port]`; plain HTTP is refused. */
export const poolAddressField = z
  .string()
  .trim()
  .max(300)
  .transform((text, context) => {
    const url = URL.parse(text.includes('://') ? text : `https://${text}`);
    const originOnly =
      url !== null && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '';
    if (url === null || !originOnly || url.protocol !== 'https:' || url.hostname === '') {
      context.addIssue('give host, host:port or https://host:port, without a path; plain HTTP is refused');
      return z.NEVER;
    }
    return url.origin;
  });

/** SHA-256 in hexadecimal, colons and upper case allowed → 64 lower-case digits. */
export const fingerprintField = z
  .string()
  .max(200)
  .transform((text) => text.replaceAll(/[:\s]/g, '').toLowerCase())
  .refine((text) => /^[0-9a-f]{64}$/.test(text), 'give the SHA-256 of the certificate as 64 hexadecimal digits');

/** Whether an origin names the very machine that dials it, or what only that machine can reach. */
export function isOwnMachine(origin: string): boolean {
  return isOwnMachineHost(new URL(origin).hostname);
}
