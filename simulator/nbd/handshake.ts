import type { Duplex } from 'node:stream';
import { ByteReader } from '../http/byte-reader.ts';
import { FIXED_NEWSTYLE, MAGIC, OPTION, OPTION_MAGIC, OPTION_REPLY_MAGIC, REPLY } from './constants.ts';

/** A connection between its options: the socket changes when TLS begins. */
export interface Negotiation {
  socket: Duplex;
  reader: ByteReader;
  /** Whether TLS is demanded and has not begun yet. */
  awaitingTls: boolean;
  /** Whether TLS runs. */
  readonly tls: boolean;
}

const LONGEST_OPTION = 4096;

/**
 * The fixed newstyle handshake up to EXPORT_NAME. Returns the export's name and the connection to go on with,
 * or undefined where the server hangs up.
 */
export async function negotiate(
  socket: Duplex,
  forceTls: boolean,
  startTls: (socket: Duplex) => Duplex,
): Promise<{ readonly name: string; readonly socket: Duplex; readonly reader: ByteReader } | undefined> {
  let state: Negotiation = { socket, reader: new ByteReader(socket), awaitingTls: forceTls, tls: false };
  const flags = Buffer.alloc(2);
  flags.writeUInt16BE(FIXED_NEWSTYLE);
  socket.write(Buffer.concat([MAGIC, OPTION_MAGIC, flags]));
  const clientFlags = (await state.reader.read(4)).readUInt32BE();
  if ((clientFlags & FIXED_NEWSTYLE) === 0 && forceTls) {
    return undefined;
  }
  for (;;) {
    const option = await readOption(state.reader);
    if (option === undefined || hangsUp(state, option.number)) {
      return undefined;
    }
    if (option.number === OPTION.exportName) {
      return { name: option.data.toString('utf8'), socket: state.socket, reader: state.reader };
    }
    reply(state.socket, option.number, answerTo(state, option.number));
    if (option.number === OPTION.abort) {
      return undefined;
    }
    if (option.number === OPTION.startTls && state.awaitingTls) {
      state.reader.detach();
      const secured = startTls(state.socket);
      state = { socket: secured, reader: new ByteReader(secured), awaitingTls: false, tls: true };
    }
  }
}

/** In the clear, where TLS is demanded, a name or an abort ends the connection without an answer. */
function hangsUp(state: Negotiation, option: number): boolean {
  return state.awaitingTls && (option === OPTION.exportName || option === OPTION.abort);
}

function answerTo(state: Negotiation, option: number): number {
  if (state.awaitingTls) {
    return option === OPTION.startTls ? REPLY.ack : REPLY.tlsRequired;
  }
  switch (option) {
    case OPTION.startTls:
      return state.tls ? REPLY.invalid : REPLY.policy;
    case OPTION.list:
      return REPLY.policy;
    case OPTION.abort:
      return REPLY.ack;
    default:
      return REPLY.unsupported;
  }
}

async function readOption(reader: ByteReader): Promise<{ readonly number: number; readonly data: Buffer } | undefined> {
  const head = await reader.read(16);
  const length = head.readUInt32BE(12);
  if (!head.subarray(0, 8).equals(OPTION_MAGIC) || length > LONGEST_OPTION) {
    return undefined;
  }
  return { number: head.readUInt32BE(8), data: await reader.read(length) };
}

function reply(socket: Duplex, option: number, type: number): void {
  const bytes = Buffer.alloc(20);
  bytes.writeBigUInt64BE(OPTION_REPLY_MAGIC, 0);
  bytes.writeUInt32BE(option, 8);
  bytes.writeUInt32BE(type, 12);
  socket.write(bytes);
}
