import { connect, type Socket } from 'node:net';
import { throwIfAborted } from '../../kernel/abort.ts';
import { AppError, isAppError } from '../../kernel/errors.ts';
import { ANYWHERE, diallingOptions, refuseHost } from '../dialling.ts';
import { CMD_DISC, CMD_READ, REQUEST_BYTES, REQUEST_MAGIC } from './constants.ts';
import { negotiate } from './handshake.ts';
import type { NbdExport } from './nbd-export.ts';
import { ReplyParser } from './reply-parser.ts';

export interface NbdTimeouts {
  readonly connectMs: number;
  readonly requestMs: number;
}

interface PendingRead {
  /** Null once the caller has given up: the bytes are still to come and go nowhere. */
  into: Uint8Array | null;
  readonly length: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** One connection to one export, in its transmission phase. It ends at the first error, as the server's side does. */
export class NbdConnection {
  readonly sizeBytes: number;
  /** Settles when the connection is over, whoever ended it. */
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  readonly #target: NbdExport;
  readonly #timeouts: NbdTimeouts;
  readonly #pending = new Map<bigint, PendingRead>();
  #nextHandle = 1n;
  #failure: AppError | null = null;

  private constructor(socket: Socket, sizeBytes: number, target: NbdExport, timeouts: NbdTimeouts) {
    this.sizeBytes = sizeBytes;
    this.#socket = socket;
    this.#target = target;
    this.#timeouts = timeouts;
    const parser = new ReplyParser({
      targetOf: (handle) => this.#pending.get(handle),
      done: (handle) => {
        this.#settle(handle)?.resolve();
      },
      failed: (why) => {
        this.#end(why);
      },
    });
    socket.on('data', (data: Buffer) => {
      parser.feed(data);
    });
    socket.on('error', (error) => {
      this.#end(error.message);
    });
    this.ended = new Promise((resolve) => {
      socket.on('close', () => {
        this.#end('the connection was closed');
        resolve();
      });
    });
    socket.resume();
  }

  /** Throws NBD_UNAVAILABLE, POOL_ADDRESS_REFUSED, or POOL_CERTIFICATE_CHANGED. Slow by nature: the pool attaches the disk for it. */
  static async open(target: NbdExport, timeouts: NbdTimeouts, signal?: AbortSignal): Promise<NbdConnection> {
    throwIfAborted(signal);
    const raw = dial(target);
    const giveUp = (): void => {
      raw.destroy(new Error('given up'));
    };
    const timer = setTimeout(giveUp, timeouts.connectMs);
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      const { socket, sizeBytes } = await negotiate(raw, target);
      return new NbdConnection(socket, sizeBytes, target, timeouts);
    } catch (error) {
      raw.destroy();
      throwIfAborted(signal);
      if (isAppError(error)) {
        throw error;
      }
      const why = error instanceof Error ? error.message : String(error);
      throw new AppError('NBD_UNAVAILABLE', `NBD at ${target.address}:${target.port}: ${why}.`, { cause: error });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    }
  }

  get isOpen(): boolean {
    return this.#failure === null;
  }

  get inFlight(): number {
    return this.#pending.size;
  }

  /** Fills `into`; offset and length in whole sectors. Throws NBD_FAILED, after which the connection is of no use. */
  async read(offset: number, into: Uint8Array, signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    if (this.#failure !== null) {
      throw this.#failure;
    }
    const handle = this.#nextHandle;
    this.#nextHandle += 1n;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#end(`no answer within ${this.#timeouts.requestMs / 1000} s`);
    }, this.#timeouts.requestMs);
    const pending: PendingRead = { into, length: into.length, resolve, reject, timer };
    this.#pending.set(handle, pending);
    const onAbort = (): void => {
      pending.into = null;
      reject(new AppError('CANCELLED', 'The read was cancelled.', { cause: signal?.reason }));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#socket.write(request(CMD_READ, handle, offset, into.length));
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Says goodbye, so that the pool detaches the disk at once. */
  async close(): Promise<void> {
    if (this.#socket.destroyed) {
      return;
    }
    const closed = new Promise<void>((resolve) => {
      this.#socket.once('close', () => {
        resolve();
      });
    });
    const timer = setTimeout(() => {
      this.#socket.destroy();
    }, 2000);
    this.#socket.end(request(CMD_DISC, 0n, 0, 0));
    await closed;
    clearTimeout(timer);
  }

  #settle(handle: bigint): PendingRead | undefined {
    const pending = this.#pending.get(handle);
    this.#pending.delete(handle);
    clearTimeout(pending?.timer);
    return pending;
  }

  #end(why: string): void {
    const { address, port } = this.#target;
    this.#failure ??= new AppError('NBD_FAILED', `NBD at ${address}:${port}: ${why}.`, { data: { address, port } });
    for (const handle of this.#pending.keys()) {
      this.#settle(handle)?.reject(this.#failure);
    }
    this.#socket.destroy();
  }
}

function dial({ address, port, dialling = ANYWHERE }: NbdExport): Socket {
  const refused = refuseHost(dialling, address);
  if (refused !== null) {
    throw refused;
  }
  return connect({ host: address, port, noDelay: true, ...diallingOptions(dialling) });
}

function request(command: number, handle: bigint, offset: number, length: number): Buffer {
  const buffer = Buffer.alloc(REQUEST_BYTES);
  buffer.writeUInt32BE(REQUEST_MAGIC, 0);
  buffer.writeUInt16BE(command, 6);
  buffer.writeBigUInt64BE(handle, 8);
  buffer.writeBigUInt64BE(BigInt(offset), 16);
  buffer.writeUInt32BE(length, 24);
  return buffer;
}
