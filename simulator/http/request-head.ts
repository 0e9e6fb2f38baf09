import type { ByteReader } from './byte-reader.ts';
import type { RequestHead } from './exchange.ts';

/** What XAPI accepts on TCP for the request line and all headers together. */
export const MOST_HEADER_BYTES = 1024;

/** A request that gets nothing but this status. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: string;

  constructor(status: string) {
    super(status);
    this.status = status;
  }
}

/** The next request's head, or undefined where the client has gone. */
export async function readHead(reader: ByteReader): Promise<RequestHead | undefined> {
  let bytes: Buffer | undefined;
  try {
    bytes = await reader.readUntil('\r\n\r\n', MOST_HEADER_BYTES);
  } catch (error) {
    if (error instanceof RangeError) {
      throw new Refused('431 Request Header Fields Too Large');
    }
    throw error;
  }
  return bytes === undefined ? undefined : parse(bytes.toString('latin1'));
}

function parse(text: string): RequestHead {
  const [line = '', ...lines] = text.trimEnd().split('\r\n');
  const match = /^([A-Z]+) (\S+) HTTP\/(1\.[01])$/.exec(line);
  if (match === null) {
    throw new Refused('400 Bad Request');
  }
  const [, method = '', target = '', version] = match;
  const question = target.indexOf('?');
  const path = question < 0 ? target : target.slice(0, question);
  return {
    method,
    path: decodeURIComponent(path),
    query: new URLSearchParams(question < 0 ? '' : target.slice(question + 1)),
    version: version === '1.0' ? '1.0' : '1.1',
    headers: new Map(lines.map(parseHeader)),
  };
}

function parseHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}
