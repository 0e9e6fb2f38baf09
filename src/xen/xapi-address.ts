import { AppError } from '../kernel/errors.ts';

/**
 * Reads a pool's address as the user gave it: `host`, `host:port`, `[v6]:port` or `https://host:port`.
 * Plain HTTP is refused: the password would cross the network in clear.
 */
export function parsePoolAddress(address: string): URL {
  const text = address.trim();
  const url = URL.parse(text.includes('://') ? text : `https://${text}`);
  const onlyOrigin = url !== null && url.pathname === '/' && url.search === '' && url.username === '';
  if (url === null || url.protocol !== 'https:' || !onlyOrigin || url.hostname === '') {
    throw new AppError('BAD_INPUT', `"${text}" is not the address of a pool.`, {
      hint: 'Give a host name or IP address, with a port where it is not 443, for example pool.example.com or https://10.0.0.5:8443.',
    });
  }
  return url;
}

/** The same origin at another host of the pool; the port the user gave holds for all of them. */
export function atHost(origin: URL, hostAddress: string): URL {
  const url = new URL(origin);
  url.hostname = hostAddress.includes(':') && !hostAddress.startsWith('[') ? `[${hostAddress}]` : hostAddress;
  return url;
}
