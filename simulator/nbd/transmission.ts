import type { Duplex } from 'node:stream';
import type { ByteReader } from '../http/byte-reader.ts';
import { COMMAND, ERRNO, HAS_FLAGS_READ_ONLY, REPLY_MAGIC, REQUEST_MAGIC, SECTOR } from './constants.ts';

/** What the transmission reads from. `read` may end the session by throwing. */
export interface Export {
  readonly sizeBytes: number;
  /** The content, or an errno. */
  read(offset: number, length: number): Promise<Buffer | number>;
  /** Sends bytes to the client, as far as it may. */
  send(bytes: Buffer): Promise<void>;
}

/** The server reads and sends at most this much at a time. */
const PIECE = 512 * 1024;

interface Request {
  readonly command: number;
  readonly handle: Buffer;
  readonly offset: number;
  readonly length: number;
}

/** Answers requests one after the other until the client leaves or the first error. */
export async function transmit(socket: Duplex, reader: ByteReader, source: Export): Promise<void> {
  const greeting = Buffer.alloc(8 + 2 + 124);
  greeting.writeBigUInt64BE(BigInt(source.sizeBytes));
  greeting.writeUInt16BE(HAS_FLAGS_READ_ONLY, 8);
  socket.write(greeting);
  for (;;) {
    const request = await readRequest(reader);
    if (request === undefined || request.command === COMMAND.disconnect) {
      return;
    }
    const error = refusal(request, source.sizeBytes) ?? (await sendContent(source, request));
    if (error !== undefined) {
      await source.send(replyHead(request.handle, error));
      return;
    }
  }
}

async function readRequest(reader: ByteReader): Promise<Request | undefined> {
  const bytes = await reader.read(28);
  if (bytes.readUInt32BE(0) !== REQUEST_MAGIC) {
    return undefined;
  }
  return {
    command: bytes.readUInt16BE(6),
    handle: bytes.subarray(8, 16),
    offset: Number(bytes.readBigUInt64BE(16)),
    length: bytes.readUInt32BE(24),
  };
}

function refusal(request: Request, sizeBytes: number): number | undefined {
  if (request.command === COMMAND.write) {
    return ERRNO.perm;
  }
  const aligned = request.offset % SECTOR === 0 && request.length % SECTOR === 0;
  const inside = request.offset + request.length <= sizeBytes;
  return request.command === COMMAND.read && aligned && inside ? undefined : ERRNO.inval;
}

/** The whole answer to a read; an errno where the first piece fails. A later failure throws: the reply has begun. */
async function sendContent(source: Export, request: Request): Promise<number | undefined> {
  for (let done = 0; done < request.length || done === 0; done += PIECE) {
    const length = Math.min(PIECE, request.length - done);
    const content = await source.read(request.offset + done, length);
    if (typeof content === 'number') {
      if (done > 0) {
        throw new Error(`errno ${content} in the middle of a reply`);
      }
      return content;
    }
    await source.send(done === 0 ? Buffer.concat([replyHead(request.handle, 0), content]) : content);
  }
  return undefined;
}

function replyHead(handle: Buffer, error: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(REPLY_MAGIC, 0);
  bytes.writeUInt32BE(error, 4);
  handle.copy(bytes, 8);
  return bytes;
}
