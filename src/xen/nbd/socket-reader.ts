import type { Socket } from 'node:net';

/** Reads exact lengths from a socket, one after the other: for handshakes. Detach it before the socket is used otherwise. */
export class SocketReader {
  readonly #socket: Socket;
  #wanted: {
    readonly bytes: number;
    readonly resolve: (data: Buffer) => void;
    readonly reject: (e: Error) => void;
  } | null = null;
  #failure: Error | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.pause();
    socket.on('readable', this.#serve);
    socket.on('error', this.#fail);
    socket.on('close', this.#closed);
  }

  async read(bytes: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#wanted = { bytes, resolve, reject };
      this.#serve();
    });
  }

  detach(): void {
    this.#socket.off('readable', this.#serve);
    this.#socket.off('error', this.#fail);
    this.#socket.off('close', this.#closed);
  }

  readonly #serve = (): void => {
    const wanted = this.#wanted;
    if (wanted === null) {
      return;
    }
    const data = this.#socket.read(wanted.bytes) as Buffer | null;
    if (data?.length === wanted.bytes) {
      this.#wanted = null;
      wanted.resolve(data);
    } else if (this.#failure !== null || this.#socket.destroyed || data !== null) {
      this.#wanted = null;
      wanted.reject(this.#failure ?? new Error('the connection was closed'));
    }
  };

  readonly #fail = (error: Error): void => {
    this.#failure ??= error;
    this.#serve();
  };

  readonly #closed = (): void => {
    this.#fail(new Error('the connection was closed'));
  };
}
