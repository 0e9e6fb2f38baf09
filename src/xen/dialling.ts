import { lookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';
import { AppError } from '../kernel/errors.ts';
import { isOwnMachineAddress, isOwnMachineHost } from '../kernel/own-machine.ts';

type Resolved = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;

/** Where connections to a pool may lead. */
export interface Dialling {
  /** Whether they may lead to the machine that dials, or to what only that machine reaches. */
  readonly ownMachine: boolean;
  /** The system's resolver unless given. */
  readonly resolve?: (hostname: string, done: Resolved) => void;
}

export const ANYWHERE: Dialling = { ownMachine: true };

/**
 * What sockets to a pool's hosts are opened with. Names are judged by the addresses that the connection then goes to:
 * the answer that was looked at is the one that is used. Whoever names a pool, or answers as one, chooses names, the
 * hosts of redirects and the addresses of NBD servers.
 */
export function diallingOptions(dialling: Dialling): { readonly lookup: LookupFunction } {
  const resolve = dialling.resolve ?? ((hostname, done) => lookup(hostname, { all: true }, done));
  return {
    lookup: (hostname, { all, family }, done) => {
      resolve(hostname, (error, found) => {
        const wanted =
          found?.filter(
            (one) => family === undefined || family === 0 || family === `IPv${one.family}` || one.family === family,
          ) ?? [];
        const [first] = wanted;
        const refusal = dialling.ownMachine ? null : refusalOf(hostname, wanted);
        if (error !== null || refusal !== null || first === undefined) {
          done(error ?? refusal ?? new Error(`${hostname} has no address`), []);
        } else if (all === true) {
          done(null, wanted);
        } else {
          done(null, first.address, first.family);
        }
      });
    },
  };
}

/** For hosts that are addresses already, which nothing is looked up for. Null where the host may be dialled. */
export function refuseHost(dialling: Dialling, hostname: string): AppError | null {
  const host = hostname.replaceAll(/^\[|\]$/g, '');
  const refused = !dialling.ownMachine && (isOwnMachineHost(host) || (isIP(host) !== 0 && isOwnInterface(host)));
  return refused ? addressRefused(host, null) : null;
}

function refusalOf(hostname: string, found: readonly LookupAddress[]): AppError | null {
  const refused = found.find(({ address }) => isOwnMachineAddress(address) || isOwnInterface(address));
  return refused === undefined ? null : addressRefused(hostname, refused.address);
}

function isOwnInterface(address: string): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some((one) => one.address === address) === true);
}

function addressRefused(host: string, address: string | null): AppError {
  const what = address === null ? host : `${host} is ${address}, and that`;
  return new AppError('POOL_ADDRESS_REFUSED', `${what} is an address of the service’s own machines.`, {
    data: { host, address },
  });
}
