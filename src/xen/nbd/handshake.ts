import type { Socket } from 'node:net';
import { AppError } from '../../kernel/errors.ts';
import { upgradeToTls } from '../pinned-tls.ts';
import {
  FLAG_FIXED_NEWSTYLE,
  FLAG_NO_ZEROES,
  NBD_MAGIC,
  OPT_EXPORT_NAME,
  OPT_STARTTLS,
  OPTION_MAGIC,
  OPTION_REPLY_MAGIC,
  REP_ACK,
  REP_ERR_POLICY,
} from './constants.ts';
import type { NbdExport } from './nbd-export.ts';
import { SocketReader } from './socket-reader.ts';

export interface NegotiatedExport {
  /** The raw socket, or TLS over it. */
  readonly socket: Socket;
  readonly sizeBytes: number;
}

/** Fixed newstyle up to the transmission phase. XAPI's server knows EXPORT_NAME only, so GO isn't tried. */
export async function negotiate(raw: Socket, target: NbdExport): Promise<NegotiatedExport> {
  let socket = raw;
  let reader = new SocketReader(socket);
  try {
    const greeting = await reader.read(18);
    const flags = greeting.readUInt16BE(16);
    const isNbd = greeting.readBigUInt64BE(0) === NBD_MAGIC && greeting.readBigUInt64BE(8) === OPTION_MAGIC;
    if (!isNbd || (flags & FLAG_FIXED_NEWSTYLE) === 0) {
      throw refused(target, 'what answered is no fixed-newstyle NBD server');
    }
    const noZeroes = flags & FLAG_NO_ZEROES;
    const clientFlags = Buffer.alloc(4);
    clientFlags.writeUInt32BE(FLAG_FIXED_NEWSTYLE | noZeroes);
    socket.write(clientFlags);
    if (target.tls !== null) {
      await askForTls(socket, reader, target);
      reader.detach();
      socket = await upgradeToTls(socket, { address: `${target.address}:${target.port}`, ...target.tls });
      reader = new SocketReader(socket);
    }
    socket.write(option(OPT_EXPORT_NAME, Buffer.from(target.exportName)));
    // An unknown export is answered by closing the connection.
    const answer = await reader.read(10 + (noZeroes === 0 ? 124 : 0));
    return { socket, sizeBytes: Number(answer.readBigUInt64BE(0)) };
  } catch (error) {
    socket.destroy();
    raw.destroy();
    throw error;
  } finally {
    reader.detach();
  }
}

async function askForTls(socket: Socket, reader: SocketReader, target: NbdExport): Promise<void> {
  socket.write(option(OPT_STARTTLS, Buffer.alloc(0)));
  const reply = await reader.read(20);
  const type = reply.readUInt32BE(12);
  await skip(reader, reply.readUInt32BE(16));
  if (reply.readBigUInt64BE(0) !== OPTION_REPLY_MAGIC || type !== REP_ACK) {
    const why = type === REP_ERR_POLICY ? 'it is not configured for TLS' : `reply 0x${type.toString(16)}`;
    throw refused(target, `the server refused TLS (${why})`);
  }
}

async function skip(reader: SocketReader, bytes: number): Promise<void> {
  if (bytes > 0) {
    await reader.read(Math.min(bytes, 65_536));
  }
}

function option(code: number, data: Buffer): Buffer {
  const header = Buffer.alloc(16);
  header.writeBigUInt64BE(OPTION_MAGIC, 0);
  header.writeUInt32BE(code, 8);
  header.writeUInt32BE(data.length, 12);
  return Buffer.concat([header, data]);
}

function refused(target: NbdExport, why: string): AppError {
  return new AppError('NBD_UNAVAILABLE', `NBD at ${target.address}:${target.port}: ${why}.`);
}
