import type { Duplex } from 'node:stream';
import { Answered, XapiError } from '../xapi-error.ts';
import { escapeXml } from '../rpc/xml-encode.ts';
import { ByteReader, EndOfStream } from './byte-reader.ts';
import { Exchange } from './exchange.ts';
import { Refused, readHead } from './request-head.ts';
import type { Arrival, Routes } from './routes.ts';

/** Serves the requests of one connection, one after the other. */
export async function serveConnection(socket: Duplex, arrival: Arrival, routes: Routes): Promise<void> {
  const reader = new ByteReader(socket);
  try {
    while (!socket.destroyed && (await serveOne(socket, reader, arrival, routes))) {
      // The next request of a kept connection.
    }
  } catch (error) {
    if (error instanceof Refused) {
      socket.write(`HTTP/1.1 ${error.status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    } else if (!(error instanceof EndOfStream)) {
      arrival.pool.log.add('connection-error', { host: arrival.host.uuid, message: String(error) });
    }
  }
  socket.end();
}

async function serveOne(socket: Duplex, reader: ByteReader, arrival: Arrival, routes: Routes): Promise<boolean> {
  const head = await readHead(reader);
  if (head === undefined) {
    return false;
  }
  const exchange = new Exchange(head, reader, socket);
  const { pool, host } = arrival;
  const { path } = head;
  pool.log.add('http', { pool: pool.name, host: host.uuid, method: head.method, path });
  if (!routes.knowsMethod(head.method)) {
    throw new Refused('501 Method Not Implemented');
  }
  const handler = routes.find(head.method, path);
  if (handler === undefined) {
    throw new Refused('403 Forbidden');
  }
  await handler(exchange, arrival).catch(async (error: unknown) => {
    if (error instanceof EndOfStream || error instanceof Refused) {
      throw error;
    }
    if (error instanceof Answered) {
      return;
    }
    await sendInternalError(exchange, error);
  });
  return !exchange.close;
}

/** Written even where a 200 has gone out already: XAPI's known trap of an error inside a body. */
async function sendInternalError(exchange: Exchange, error: unknown): Promise<void> {
  exchange.close = true;
  const text = error instanceof XapiError ? error.message : String(error);
  const page =
    '<html><body><h1>HTTP 500 internal server error</h1>An unexpected error occurred; ' +
    `please wait a while and try again.<h1> Additional information </h1>${escapeXml(text)}</body></html>`;
  await exchange.reply('500 Internal Error', { 'content-type': 'text/html' }, page);
}
