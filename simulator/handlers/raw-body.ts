import { EndOfStream } from '../http/byte-reader.ts';
import type { Exchange } from '../http/exchange.ts';

/** Bytes and where on the disk they belong. */
export interface Range {
  readonly offset: number;
  readonly data: Buffer;
}

const PIECE = 1024 * 1024;

/** The body as a plain image: as long as announced, or to the end of the connection. */
export async function* plainRanges(exchange: Exchange): AsyncGenerator<Range> {
  const length = exchange.contentLength ?? Number.POSITIVE_INFINITY;
  let offset = 0;
  while (offset < length) {
    const data = await exchange.body.readUpTo(Math.min(PIECE, length - offset));
    if (data.length === 0) {
      if (length === Number.POSITIVE_INFINITY) {
        return;
      }
      throw new EndOfStream(`${length} bytes were announced, ${offset} came`);
    }
    yield { offset, data };
    offset += data.length;
  }
}

/** The body as chunks: `int64 LE offset, int32 LE length, bytes`, until a chunk of length 0. */
export async function* chunkedRanges(exchange: Exchange): AsyncGenerator<Range> {
  for (;;) {
    const head = await exchange.body.read(12);
    const start = Number(head.readBigInt64LE(0));
    const length = head.readInt32LE(8);
    if (length === 0) {
      return;
    }
    for (let done = 0; done < length; done += PIECE) {
      const data = await exchange.body.read(Math.min(PIECE, length - done));
      yield { offset: start + done, data };
    }
  }
}
