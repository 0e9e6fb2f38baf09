import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';

export interface NbdInfo {
  readonly exportname: string;
  readonly address: string;
  readonly port: number;
  readonly cert: string;
}

export const OPTION = { exportName: 1, list: 3, startTls: 5, go: 7, structuredReply: 8 };
export const REPLY = {
  ack: 1,
  unsupported: 0x80000001,
  policy: 0x80000002,
  invalid: 0x80000003,
  tlsRequired: 0x80000005,
};

/** One NBD connection, spoken by hand. */
export class NbdByHand {
  socket: Duplex;
  #held = Buffer.alloc(0);
  #ended = false;
  readonly #info: NbdInfo;

  constructor(info: NbdInfo, socket: Socket) {
    this.#info = info;
    this.socket = socket;
    this.#listen();
  }

  static dial(info: NbdInfo): NbdByHand {
    return new NbdByHand(info, connect({ host: info.address, port: info.port }));
  }

  /** A connection after the server's greeting. */
  static async open(info: NbdInfo): Promise<NbdByHand> {
    const connection = NbdByHand.dial(info);
    const greeting = (await connection.read(18)).toString('latin1');
    if (greeting !== 'NBDMAGICIHAVEOPT\0\u0001') {
      throw new Error(`a greeting of another protocol: ${JSON.stringify(greeting)}`);
    }
    connection.socket.write(Buffer.from([0, 0, 0, 1]));
    return connection;
  }

  /** Undefined where the server hangs up before. */
  async tryRead(length: number): Promise<Buffer | undefined> {
    while (this.#held.length < length && !this.#ended) {
      await Promise.race([once(this.socket, 'data'), once(this.socket, 'close')]);
    }
    if (this.#held.length < length) {
      return undefined;
    }
    const bytes = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return bytes;
  }

  async read(length: number): Promise<Buffer> {
    const bytes = await this.tryRead(length);
    if (bytes === undefined) {
      throw new Error('the server hung up');
    }
    return bytes;
  }

  sendOption(option: number, data = ''): void {
    const head = Buffer.alloc(16);
    head.write('IHAVEOPT', 'latin1');
    head.writeUInt32BE(option, 8);
    head.writeUInt32BE(data.length, 12);
    this.socket.write(Buffer.concat([head, Buffer.from(data)]));
  }

  /** The type of the reply, or undefined where the server hangs up. */
  async option(option: number, data = ''): Promise<number | undefined> {
    this.sendOption(option, data);
    return (await this.tryRead(20))?.readUInt32BE(12);
  }

  async startTls(): Promise<void> {
    if ((await this.option(OPTION.startTls)) !== REPLY.ack) {
      throw new Error('the server refuses TLS');
    }
    this.socket.removeAllListeners();
    this.socket = connectTls({ socket: this.socket, ca: this.#info.cert, host: this.#info.address });
    this.#listen();
    await once(this.socket, 'secureConnect');
  }

  /** Enters transmission; the size and flags that the server named. */
  async enter(name = this.#info.exportname): Promise<{ readonly size: bigint; readonly flags: number } | undefined> {
    this.sendOption(OPTION.exportName, name);
    const greeting = await this.tryRead(134);
    return greeting && { size: greeting.readBigUInt64BE(0), flags: greeting.readUInt16BE(8) };
  }

  sendRequest(command: number, offset: number, length: number): void {
    const bytes = Buffer.alloc(28);
    bytes.writeUInt32BE(0x25609513, 0);
    bytes.writeUInt16BE(command, 6);
    bytes.writeBigUInt64BE(BigInt(offset) + 77n, 8);
    bytes.writeBigUInt64BE(BigInt(offset), 16);
    bytes.writeUInt32BE(length, 24);
    this.socket.write(bytes);
  }

  /** The error and handle of the next reply. */
  async reply(): Promise<{ readonly error: number; readonly handle: bigint }> {
    const bytes = await this.read(16);
    if (bytes.readUInt32BE(0) !== 0x67446698) {
      throw new Error('that is no simple reply');
    }
    return { error: bytes.readUInt32BE(4), handle: bytes.readBigUInt64BE(8) };
  }

  async hasEnded(): Promise<boolean> {
    return (await this.tryRead(1)) === undefined;
  }

  close(): void {
    this.socket.destroy();
  }

  #listen(): void {
    this.socket.on('data', (part: Buffer) => {
      this.#held = Buffer.concat([this.#held, part]);
    });
    this.socket.on('close', () => {
      this.#ended = true;
    });
    this.socket.on('error', () => {
      // A server that hangs up is an answer too.
    });
  }
}
