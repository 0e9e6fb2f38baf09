import { type Row, type Value, asList, asMap, asNumber, asText, isMap } from '../model/values.ts';
import type { Host } from '../pool/host.ts';
import type { Pool } from '../pool/pool.ts';

/** One call on its way through a pool: who asks, where, and with what (the session is not among the arguments). */
export class Call {
  readonly pool: Pool;
  readonly host: Host;
  readonly method: string;
  readonly session: string;
  readonly args: readonly Value[];
  /** The task that operations are booked under; a real one for asynchronous calls. */
  readonly task: string;
  readonly signal: AbortSignal | undefined;

  constructor(at: { readonly pool: Pool; readonly host: Host }, what: CallParts) {
    this.pool = at.pool;
    this.host = at.host;
    this.method = what.method;
    this.session = what.session;
    this.args = what.args;
    this.task = what.task;
    this.signal = what.signal;
  }

  has(index: number): boolean {
    return index < this.args.length;
  }

  text(index: number): string {
    return asText(this.args[index]);
  }

  number(index: number): number {
    return asNumber(this.args[index]);
  }

  flag(index: number): boolean {
    return this.args[index] === true;
  }

  list(index: number): string[] {
    return asList(this.args[index]);
  }

  map(index: number): Record<string, string> {
    return asMap(this.args[index]);
  }

  record(index: number): Row {
    const value = this.args[index];
    return isMap(value) ? { ...value } : {};
  }
}

export interface CallParts {
  readonly method: string;
  readonly session: string;
  readonly args: readonly Value[];
  readonly task: string;
  readonly signal?: AbortSignal | undefined;
}

export type Handler = (call: Call) => Value | Promise<Value>;
export type Handlers = Readonly<Record<string, Handler>>;
