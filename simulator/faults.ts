import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where something can go wrong. Every given field of a fault's `match` must equal the occasion's. */
export interface Occasion {
  /**
   * `rpc`: a call, before it runs. `operation`: an operation on a VM, while the VM is busy with it. `rpc-answer`:
   * before the answer to any call is sent. `handler`: a data handler, before its first byte. `connection`: a socket
   * accepted by the web server. `nbd-open`, `nbd-read`: an NBD session.
   */
  readonly kind: 'rpc' | 'operation' | 'rpc-answer' | 'handler' | 'connection' | 'nbd-open' | 'nbd-read';
  readonly pool: string;
  readonly host: string;
  readonly method?: string;
  readonly handler?: string;
  readonly vdi?: string;
}

export interface FaultAction {
  /** Fail with this XAPI error. */
  readonly error?: readonly string[];
  /** Wait first, in milliseconds. */
  readonly delayMs?: number;
  /** Wait until the fault is cleared. */
  readonly hold?: boolean;
  /** Let this many bytes of the answer (or of an upload) through, then cut the connection. */
  readonly cutAfterBytes?: number;
  /** Answer an HTTP request with this status. */
  readonly status?: number;
  /** Answer an NBD read with this errno and end the session, as the server does after any error. */
  readonly nbdError?: number;
  readonly killHost?: string;
  readonly fillSr?: string;
  readonly changeCertificate?: string;
  readonly vanishVm?: string;
}

export interface FaultOrder {
  readonly match: Partial<Occasion>;
  /** The first occasion that it hits, counted from 1. */
  readonly nth?: number;
  /** How many occasions it hits; 0 means all from `nth` on. Default 1. */
  readonly times?: number;
  readonly action: FaultAction;
}

interface ArmedFault extends FaultOrder {
  readonly id: string;
  seen: number;
  hits: number;
}

/** Faults that a test ordered. */
export class Faults {
  readonly #armed: ArmedFault[] = [];
  readonly #cleared = new Map<string, PromiseWithResolvers<void>>();
  /** Carries out what an action does to the world beyond its own connection. */
  strike: (action: FaultAction) => Promise<void> = async () => {
    await Promise.resolve();
  };

  order(order: FaultOrder): string {
    const id = randomUUID();
    this.#armed.push({ ...order, id, seen: 0, hits: 0 });
    this.#cleared.set(id, Promise.withResolvers());
    return id;
  }

  /** Forgets one fault, or all; what they hold goes on. */
  clear(id?: string): void {
    const kept = id === undefined ? [] : this.#armed.filter((fault) => fault.id !== id);
    for (const fault of this.#armed.splice(0, this.#armed.length, ...kept)) {
      if (!kept.includes(fault)) {
        this.#cleared.get(fault.id)?.resolve();
        this.#cleared.delete(fault.id);
      }
    }
  }

  get list(): readonly ArmedFault[] {
    return this.#armed;
  }

  /** The action ordered for this occasion, after its delay and its effects on the world; undefined for none. */
  async meet(occasion: Occasion): Promise<FaultAction | undefined> {
    const fault = this.#find(occasion);
    if (fault === undefined) {
      return undefined;
    }
    if (fault.action.delayMs !== undefined) {
      await sleep(fault.action.delayMs);
    }
    if (fault.action.hold === true) {
      await this.#cleared.get(fault.id)?.promise;
    }
    await this.strike(fault.action);
    return fault.action;
  }

  #find(occasion: Occasion): ArmedFault | undefined {
    let found: ArmedFault | undefined;
    for (const fault of this.#armed) {
      if (Object.entries(fault.match).every(([key, value]) => occasion[key as keyof Occasion] === value)) {
        fault.seen += 1;
        const first = fault.nth ?? 1;
        const times = fault.times ?? 1;
        if (found === undefined && fault.seen >= first && (times === 0 || fault.seen < first + times)) {
          fault.hits += 1;
          found = fault;
        }
      }
    }
    return found;
  }
}
