import { type Value, isMap } from '../model/values.ts';
import { type XapiError, toXapiError } from '../xapi-error.ts';
import type { Answer } from './dispatcher.ts';

export type Dispatch = (method: string, params: readonly Value[]) => Promise<Answer>;

/** A request that is no call at all: answered with HTTP 500. */
export class MalformedRequest extends Error {
  override readonly name = 'MalformedRequest';
}

/** Answers one JSON-RPC request, 1.0 or 2.0 as the client speaks. */
export async function answerJson(body: string, dispatch: Dispatch): Promise<string> {
  const request = parse(body);
  const { id, method } = request;
  if ((typeof id !== 'string' && typeof id !== 'number') || typeof method !== 'string') {
    throw new MalformedRequest('Jsonrpc.Malformed_method_request');
  }
  const second = request['jsonrpc'] === '2.0';
  const params = Array.isArray(request['params']) ? (request['params'] as readonly Value[]) : [];
  try {
    const { value } = await dispatch(method, params);
    return JSON.stringify(second ? { jsonrpc: '2.0', result: value, id } : { result: value, error: null, id });
  } catch (error) {
    return JSON.stringify(failure(toXapiError(error), id, second));
  }
}

function failure(error: XapiError, id: string | number, second: boolean): object {
  return second
    ? { jsonrpc: '2.0', error: { code: 1, message: error.code, data: error.params }, id }
    : { result: null, error: error.description, id };
}

function parse(body: string): { readonly [key: string]: Value } {
  try {
    const value = JSON.parse(body) as Value;
    if (isMap(value)) {
      return value;
    }
  } catch {
    // Reported below, as every other malformed request.
  }
  throw new MalformedRequest('Jsonrpc.Malformed_method_request');
}
