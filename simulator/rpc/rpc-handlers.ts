import { isUtf8 } from 'node:buffer';
import type { Exchange } from '../http/exchange.ts';
import type { Arrival, HttpHandler, Routes } from '../http/routes.ts';
import type { Value } from '../model/values.ts';
import { XapiError, toXapiError } from '../xapi-error.ts';
import { type Answer, dispatch } from './dispatcher.ts';
import { answerJson } from './json-rpc.ts';
import { answerXml } from './xml-rpc.ts';

/** XAPI's `http_limit_max_rpc_size`. */
const MOST_BODY_BYTES = 300 * 1024;

const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': 'X-Requested-With, Content-Type',
  'access-control-allow-methods': 'PUT, GET, POST, OPTIONS',
};

async function readBody(exchange: Exchange): Promise<Buffer> {
  const length = exchange.contentLength;
  if (length === undefined) {
    throw new Error('We require a content-length: HTTP header');
  }
  if (length > MOST_BODY_BYTES) {
    throw new Error('Http_svr.Client_requested_size_over_limit');
  }
  return await exchange.body.read(length);
}

/** A call at this arrival, logged with its outcome and without its secrets. */
async function logged(arrival: Arrival, method: string, params: readonly Value[]): Promise<Answer> {
  const { pool, host } = arrival;
  const entry = { pool: pool.name, host: host.uuid, method };
  try {
    const answer = await dispatch(pool, host, method, params);
    pool.log.add('call', { ...entry, params: printable(method, params), ok: true });
    return answer;
  } catch (error) {
    const failure = toXapiError(error);
    pool.log.add('call', { ...entry, params: printable(method, params), ok: false, error: failure.description });
    throw failure;
  }
}

function printable(method: string, params: readonly Value[]): readonly Value[] {
  return method.includes('login') ? params.slice(0, 1) : params.slice(1);
}

function rpc(contentType: string, answer: (body: string, arrival: Arrival) => Promise<string>): HttpHandler {
  return async (exchange, arrival) => {
    const bytes = await readBody(exchange);
    if (!isUtf8(bytes)) {
      throw new XapiError('INVALID_VALUE', ['Invalid UTF-8 string in parameter', '']);
    }
    const text = await answer(bytes.toString('utf8'), arrival);
    const cut = await arrival.pool.faults.meet({
      kind: 'rpc-answer',
      pool: arrival.pool.name,
      host: arrival.host.uuid,
    });
    exchange.cutAfterBytes = cut?.cutAfterBytes;
    if (cut?.status === undefined) {
      await exchange.reply('200 OK', { ...CORS, 'content-type': contentType }, text);
    } else {
      await exchange.reply(`${cut.status} Ordered`, { 'content-type': 'text/html' });
    }
  };
}

export function addRpcRoutes(routes: Routes): void {
  const json = rpc('application/json', async (body, arrival) =>
    answerJson(body, async (method, params) => await logged(arrival, method, params)),
  );
  const xml = rpc('text/xml', async (body, arrival) =>
    answerXml(body, async (method, params) => await logged(arrival, method, params), arrival.pool.db.model),
  );
  const options: HttpHandler = async (exchange) => {
    await exchange.reply('200 OK', CORS);
  };
  for (const path of ['/jsonrpc', '/json']) {
    routes.add('POST', path, json).add('OPTIONS', path, options);
  }
  for (const path of ['/RPC2', '/']) {
    routes.add('POST', path, xml).add('OPTIONS', path, options);
  }
}
