import type { Host } from '../pool/host.ts';
import type { Pool } from '../pool/pool.ts';
import type { Simulator } from '../simulator.ts';

export interface ControlRequest {
  readonly simulator: Simulator;
  readonly path: Readonly<Record<string, string | undefined>>;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A request that can't be carried out, with the HTTP status that says so. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A pool by its name or UUID. */
export function findPool(simulator: Simulator, nameOrUuid: unknown): Pool {
  const pool = simulator.pools.find((each) => each.name === nameOrUuid || each.uuid === nameOrUuid);
  if (pool === undefined) {
    throw new ControlError(404, `there is no pool ${String(nameOrUuid)}`);
  }
  return pool;
}

/** A host by its UUID, name or address. */
export function findHost(simulator: Simulator, id: unknown): { readonly pool: Pool; readonly host: Host } {
  const found = simulator.hosts.find(({ host }) => host.uuid === id || host.name === id || host.address === id);
  if (found === undefined) {
    throw new ControlError(404, `there is no host ${String(id)}`);
  }
  return found;
}

/** An object of any pool by its UUID. */
export function findObject(
  simulator: Simulator,
  className: string,
  uuid: unknown,
): { readonly pool: Pool; readonly ref: string } {
  for (const pool of simulator.pools) {
    const ref = pool.db.findByUuid(className, String(uuid));
    if (ref !== undefined) {
      return { pool, ref };
    }
  }
  throw new ControlError(404, `there is no ${className} ${String(uuid)}`);
}

export function optionalNumber(value: unknown, name: string): number | undefined {
  if (value === undefined || value === null) {
    return undefined;
  }
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 0) {
    throw new ControlError(400, `${name} must be a whole number from 0`);
  }
  return number;
}

export function requiredNumber(value: unknown, name: string): number {
  const number = optionalNumber(value, name);
  if (number === undefined) {
    throw new ControlError(400, `${name} is missing`);
  }
  return number;
}
